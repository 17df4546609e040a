#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

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

TEST_F(SystemFilesTest, AMissingDirectoryIsAnErrorThatNamesTheFile) {
    const auto replaced = files.replace(path("no/such/a"), "x");
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().category, Error::Category::storage);
    EXPECT_NE(replaced.error().what.find("no/such/a"), std::string::npos);
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
