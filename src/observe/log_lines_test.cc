#include "observe/log_lines.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace pgc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_reader();
        ::close(ends[1]);
    }
    void close_reader() {
        if (ends[0] >= 0) {
            ::close(ends[0]);
            ends[0] = -1;
        }
    }
    std::string read_some() const {
        std::string text(std::size_t{1} << 20, '\0');
        const ssize_t n = ::read(ends[0], text.data(), text.size());
        text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return text;
    }
    std::array<int, 2> ends{-1, -1};
};

// Lines until nothing more fits.
std::uint64_t fill(DescriptorLines& lines) {
    const std::string line = std::string(999, 'x') + '\n';
    std::uint64_t written = 0;
    while (lines.lost() == 0 && written < 100'000) {
        lines.write(line);
        ++written;
    }
    return written;
}

TEST(DescriptorLinesTest, WritesLinesAsTheyAre) {
    const Pipe pipe;
    DescriptorLines lines(pipe.ends[1]);
    lines.write("one\n");
    lines.write("two\n");
    EXPECT_EQ(pipe.read_some(), "one\ntwo\n");
    EXPECT_EQ(lines.lost(), 0U);
}

TEST(DescriptorLinesTest, DoesNotHangOnAFullPipeAndTellsWhatWasLost) {
    const Pipe pipe;
    DescriptorLines lines(pipe.ends[1]);
    fill(lines);
    lines.write("lost too\n");
    EXPECT_EQ(lines.lost(), 2U);
    while (pipe.read_some().size() == std::size_t{1} << 20) {
    }
    lines.write("back\n");
    EXPECT_THAT(pipe.read_some(), EndsWith("{\"log_lines_lost\":2}\nback\n"));
}

TEST(DescriptorLinesTest, LeavesTheFlagsOfTheSharedDescriptorAlone) {
    const Pipe pipe;
    const DescriptorLines lines(pipe.ends[1]);
    EXPECT_EQ(::fcntl(pipe.ends[1], F_GETFL) & O_NONBLOCK, 0);
}

TEST(DescriptorLinesTest, SurvivesAReaderThatWentAway) {
    Pipe pipe;
    DescriptorLines lines(pipe.ends[1]);
    pipe.close_reader();
    lines.write("unheard\n");
    EXPECT_EQ(lines.lost(), 1U);
}

TEST(DescriptorLinesTest, SurvivesAPipeThatHadNoReaderFromTheStart) {
    Pipe pipe;
    pipe.close_reader();
    DescriptorLines lines(pipe.ends[1]);
    lines.write("unheard\n");
    EXPECT_EQ(lines.lost(), 1U);
}

TEST(DescriptorLinesTest, SurvivesADescriptorThatIsNotOpen) {
    DescriptorLines lines(-1);
    lines.write("unheard\n");
    EXPECT_EQ(lines.lost(), 1U);
}

TEST(DescriptorLinesTest, WritesToASocketWithoutHanging) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    {
        DescriptorLines lines(ends[1]);
        EXPECT_GT(fill(lines), 10U);
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(DescriptorLinesTest, BeginsANewLineAfterOneThatWasTorn) {
    const Pipe pipe;
    DescriptorLines lines(pipe.ends[1]);
    lines.write(std::string(200'000, 'x') + '\n');
    EXPECT_EQ(lines.lost(), 1U);
    while (pipe.read_some().empty()) {
    }
    lines.write("whole\n");
    EXPECT_EQ(pipe.read_some(), "\n{\"log_lines_lost\":1}\nwhole\n");
}

TEST(DescriptorLinesTest, AppendsToAFile) {
    std::string path = ::testing::TempDir() + "log_lines_XXXXXX";
    const int fd = ::mkstemp(path.data());
    ASSERT_GE(fd, 0);
    DescriptorLines lines(fd);
    lines.write("a\n");
    lines.write("b\n");
    std::array<char, 16> text{};
    EXPECT_EQ(::pread(fd, text.data(), text.size(), 0), 4);
    EXPECT_STREQ(text.data(), "a\nb\n");
    ::close(fd);
    ::unlink(path.c_str());
}

}  // namespace
}  // namespace pgc
