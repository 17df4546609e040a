#include "sink/console/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "support/outputs.h"

namespace pgc {
namespace {

using test::Channel;

// Writes until nothing more goes; how much went.
std::size_t fill(Output& output) {
    const std::string bytes(65536, 'x');
    std::size_t total = 0;
    for (;;) {
        const auto written = output.write(bytes);
        EXPECT_TRUE(written) << describe(written.error());
        if (!written || *written == 0) {
            return total;
        }
        total += *written;
    }
}

TEST(ConsoleOutputTest, APipeThatIsFullTakesNothingAndDoesNotBlock) {
    Channel pipe = test::make_pipe();
    Output output{pipe.sink.fd()};
    EXPECT_GE(fill(output), 4096U);
    EXPECT_EQ(output.write("more").value(), 0U);
    EXPECT_GT(pipe.read_now().size(), 0U);
    EXPECT_EQ(output.write("more").value(), 4U);
}

TEST(ConsoleOutputTest, ASocketThatIsFullTakesNothingAndDoesNotBlock) {
    Channel socket = test::make_socket();
    Output output{socket.sink.fd()};
    EXPECT_GT(fill(output), 0U);
    EXPECT_EQ(output.write("more").value(), 0U);
}

TEST(ConsoleOutputTest, AFileTakesEverything) {
    Channel file = test::make_file();
    Output output{file.sink.fd()};
    EXPECT_EQ(output.write("some text").value(), 9U);
    EXPECT_EQ(file.read_now(), "some text");
}

TEST(ConsoleOutputTest, TheFlagsOfTheSharedDescriptorAreLeftAlone) {
    Channel pipe = test::make_pipe();
    Output output{pipe.sink.fd()};
    (void)fill(output);
    EXPECT_EQ(::fcntl(pipe.sink.fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(ConsoleOutputTest, ADescriptorThatDoesNotWaitAnywayIsUsedAsItIs) {
    Channel pipe = test::make_pipe();
    ::fcntl(pipe.sink.fd(), F_SETFL, O_NONBLOCK);
    Output output{pipe.sink.fd()};
    EXPECT_EQ(output.fd(), pipe.sink.fd());
    EXPECT_GE(fill(output), 4096U);
}

TEST(ConsoleOutputTest, AReaderThatWentAwayIsToldAsThat) {
    test::ignore_sigpipe();
    for (const auto make : {test::make_pipe, test::make_socket}) {
        Channel channel = make();
        Output output{channel.sink.fd()};
        channel.reader.close();
        const auto written = output.write("x");
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().what, "the reader of our output went away");
        EXPECT_EQ(written.error().next, Error::Next::stop);
    }
}

// As in a container whose pipe belongs to another user: /proc/self/fd can't be opened.
TEST(ConsoleOutputTest, APipeThatCannotBeOpenedAgainIsWrittenWhenItHasRoom) {
    Channel pipe = test::make_pipe();
    Output output{pipe.sink.fd(), Output::Reopening::forbidden};
    EXPECT_EQ(output.fd(), pipe.sink.fd());
    EXPECT_GE(fill(output), 4096U);
    EXPECT_EQ(output.write("more").value(), 0U);
    EXPECT_GT(pipe.read_now().size(), 0U);
    EXPECT_EQ(output.write("more").value(), 4U);
}

TEST(ConsoleOutputTest, ADescriptorThatIsNoneIsAnError) {
    Output output{-1};
    const auto written = output.write("x");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().category, Error::Category::sink);
}

TEST(ConsoleOutputTest, AFullDiskIsAnErrorThatSaysSo) {
    const int fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    {
        Output output{fd};
        const auto written = output.write("x");
        ASSERT_FALSE(written);
        EXPECT_NE(written.error().what.find("No space left on device"), std::string::npos);
    }
    ::close(fd);
}

TEST(ConsoleOutputTest, TheReaderSeesTheEndWhenBothEndsAreClosed) {
    Channel pipe = test::make_pipe();
    {
        Output output{pipe.sink.fd()};
        ASSERT_TRUE(output.write("last"));
    }
    pipe.sink.close();
    EXPECT_EQ(pipe.read_now(), "last");
    char byte = 0;
    EXPECT_EQ(::read(pipe.reader.fd(), &byte, 1), 0);
}

}  // namespace
}  // namespace pgc
