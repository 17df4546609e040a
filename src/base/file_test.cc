#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace pgc {
namespace {

class SystemFilesTest : public testing::Test {
protected:
    SystemFilesTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgc-file-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~SystemFilesTest() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    SystemFiles files;

private:
    std::string directory_;
};

TEST_F(SystemFilesTest, WhatIsNotThereIsNothing) {
    const auto read = files.read(path("none"));
    ASSERT_TRUE(read);
    EXPECT_FALSE(*read);
}

TEST_F(SystemFilesTest, ReadsWhatItWrote) {
    const std::string content("with\0zero and\nlines", 19);
    ASSERT_TRUE(files.replace(path("a"), content));
    EXPECT_EQ(**files.read(path("a")), content);
    ASSERT_TRUE(files.replace(path("a"), "shorter"));
    EXPECT_EQ(**files.read(path("a")), "shorter");
    ASSERT_TRUE(files.replace(path("a"), ""));
    EXPECT_EQ(**files.read(path("a")), "");
}

TEST_F(SystemFilesTest, LeavesNothingBesideTheFile) {
    ASSERT_TRUE(files.replace(path("a"), "x"));
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path(""))) {
        ++entries;
    }
    EXPECT_EQ(entries, 1);
}

TEST_F(SystemFilesTest, OnlyItsOwnerMayReadTheFile) {
    ASSERT_TRUE(files.replace(path("a"), "x"));
    struct stat status{};
    ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SystemFilesTest, ALinkUnderATemporaryNameIsNotFollowed) {
    // Where the name could be foreseen, a file of somebody else would be overwritten.
    const std::string victim = path("victim");
    ASSERT_TRUE(files.replace(victim, "precious"));
    for (const char* name : {"a.new", "a.new-", "a.new-0000000000000000"}) {
        ASSERT_EQ(::symlink(victim.c_str(), path(name).c_str()), 0);
    }
    ASSERT_TRUE(files.replace(path("a"), "position"));
    EXPECT_EQ(**files.read(victim), "precious");
    EXPECT_EQ(**files.read(path("a")), "position");
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path("a"))));
}

TEST_F(SystemFilesTest, WhatACrashLeftIsNoHindranceAndIsRemovedWhenItIsOld) {
    const std::string old = path("a.new-0123456789abcdef");
    const std::string young = path("a.new-fedcba9876543210");
    const std::string other = path("b.new-0123456789abcdef");
    const std::string draft = path("a.new-draft");
    const std::string longer = path("a.new-0123456789abcdef0");
    for (const std::string& name : {old, young, other, draft, longer, path("a.new")}) {
        ASSERT_TRUE(files.replace(name, "half"));
    }
    const std::string folder = path("a.new-0000000000000000");
    std::filesystem::create_directory(folder);
    const auto yesterday = std::filesystem::file_time_type::clock::now() - std::chrono::hours{24};
    std::filesystem::last_write_time(old, yesterday);
    for (const std::string& name : {other, draft, longer, folder}) {
        std::filesystem::last_write_time(name, yesterday);
    }
    ASSERT_TRUE(files.replace(path("a"), "whole"));
    EXPECT_EQ(**files.read(path("a")), "whole");
    EXPECT_FALSE(*files.read(old));
    EXPECT_TRUE(*files.read(young)) << "somebody may be writing it";
    EXPECT_TRUE(*files.read(other)) << "which is another file's";
    EXPECT_TRUE(*files.read(draft)) << "which we never made";
    EXPECT_TRUE(*files.read(longer)) << "which we never made";
    EXPECT_TRUE(std::filesystem::exists(folder)) << "which we never made";
}

TEST_F(SystemFilesTest, TwoProcessesThatReplaceTheSameFileNeverMixTheirContents) {
    const std::string one(100'000, '1');
    const std::string two(100'000, '2');
    const auto replaces = [this](const std::string& content) {
        SystemFiles own;
        for (int i = 0; i < 30; ++i) {
            const auto done = own.replace(path("a"), content);
            EXPECT_TRUE(done) << describe(done.error());
        }
    };
    std::thread other{replaces, two};
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(files.replace(path("a"), one));
        const auto now = files.read(path("a"));
        ASSERT_TRUE(now && *now);
        EXPECT_TRUE(**now == one || **now == two);
    }
    other.join();
}

TEST_F(SystemFilesTest, AFailureLeavesNoTemporaryFile) {
    std::filesystem::create_directory(path("d"));
    std::ofstream{path("d") + "/inside"} << "x";
    EXPECT_FALSE(files.replace(path("d"), "x"));
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path(""))) {
        ++entries;
    }
    EXPECT_EQ(entries, 1);
}

TEST_F(SystemFilesTest, AMissingDirectoryIsAnErrorThatNamesTheFile) {
    const auto replaced = files.replace(path("no/such/a"), "x");
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().category, Error::Category::storage);
    EXPECT_NE(replaced.error().what.find("no/such/a"), std::string::npos);
}

TEST_F(SystemFilesTest, ExchangesOnlyWhatItExpects) {
    const std::string a = path("a");
    EXPECT_TRUE(*files.exchange(a, std::nullopt, "first"));
    EXPECT_FALSE(*files.exchange(a, std::nullopt, "second")) << "there is a file now";
    EXPECT_FALSE(*files.exchange(a, "another", "second"));
    EXPECT_EQ(**files.read(a), "first");
    EXPECT_TRUE(*files.exchange(a, "first", "second"));
    EXPECT_EQ(**files.read(a), "second");
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path(""))) {
        ++entries;
    }
    EXPECT_EQ(entries, 1) << "what was refused leaves nothing";
}

// Each reads a number and stores the next one: none is lost.
TEST_F(SystemFilesTest, ExchangesTakeTurns) {
    const std::string a = path("a");
    ASSERT_TRUE(files.replace(a, "0"));
    constexpr int kEach = 50;
    const auto counts = [&] {
        SystemFiles own;
        for (int done = 0; done < kEach;) {
            const auto is = own.read(a);
            ASSERT_TRUE(is && *is);
            const auto next = own.exchange(a, *is, std::to_string(std::stoi(**is) + 1));
            if (next && *next) ++done;
        }
    };
    std::thread other{counts};
    counts();
    other.join();
    EXPECT_EQ(**files.read(a), std::to_string(2 * kEach));
}

// Of one that stands still with the lock.
TEST_F(SystemFilesTest, ALockThatIsNotGivenBackIsNotWaitedForForEver) {
    ASSERT_TRUE(files.replace(path("a"), "x"));
    const int folder = ::open(path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(folder, 0);
    ASSERT_EQ(::flock(folder, LOCK_EX), 0);
    const auto done = files.exchange(path("a"), "x", "y");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().next, Error::Next::retry);
    EXPECT_NE(done.error().what.find("another process"), std::string::npos);
    ::close(folder);
    EXPECT_TRUE(*files.exchange(path("a"), "x", "y"));
}

TEST_F(SystemFilesTest, ADirectoryIsNoFile) {
    EXPECT_FALSE(files.read(path("")));
    EXPECT_FALSE(files.replace(path(""), "x"));
}

TEST_F(SystemFilesTest, AFileWithoutEndIsRefused) {
    const auto read = files.read("/dev/zero");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().what.find("/dev/zero"), std::string::npos);
}

TEST(SimulatedFilesTest, FailsWhenItIsTold) {
    SimulatedFiles files;
    ASSERT_TRUE(files.replace("a", "first"));
    files.fail_next_replaces(1);
    EXPECT_FALSE(files.replace("a", "second"));
    EXPECT_EQ(**files.read("a"), "first") << "a failed replace leaves the old content";
    EXPECT_TRUE(files.replace("a", "third"));
    files.fail_next_reads(1);
    EXPECT_FALSE(files.read("a"));
    EXPECT_EQ(**files.read("a"), "third");
}

}  // namespace
}  // namespace pgc
