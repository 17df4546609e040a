#include "sink/file/system_disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace pgc {
namespace {

class SystemDiskTest : public testing::Test {
protected:
    SystemDiskTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgc-disk-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        refuses_renameat2 = 0;
        fails_sync = 0;
        interrupts = 0;
    }
    ~SystemDiskTest() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    std::string content(const std::string& name) const {
        std::ifstream file{path(name), std::ios::binary};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
    unsigned mode(const std::string& name) const {
        struct stat status{};
        EXPECT_EQ(::lstat(path(name).c_str(), &status), 0) << name;
        return status.st_mode & 07777U;
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream{path(name), std::ios::binary} << text;
    }

    // A byte at a time, every other call is interrupted.
    static ssize_t write_a_byte(int fd, const void* bytes, std::size_t size) {
        if (++interrupts % 2 == 1) {
            errno = EINTR;
            return -1;
        }
        return ::write(fd, bytes, std::min<std::size_t>(size, 1));
    }
    static ssize_t write_to_full_disk(int fd, const void* bytes, std::size_t size) {
        if (size <= 3) {
            errno = ENOSPC;
            return -1;
        }
        return ::write(fd, bytes, 3);
    }
    static int failing_fdatasync(int) {
        errno = fails_sync;
        return -1;
    }
    static int unknown_renameat2(int, const char*, int, const char*, unsigned) {
        errno = refuses_renameat2;
        return -1;
    }

    SystemDisk disk;
    static inline int refuses_renameat2;
    static inline int fails_sync;
    static inline int interrupts;

private:
    std::string folder_;
};

TEST_F(SystemDiskTest, ModesAreAsGivenWhateverTheUmask) {
    for (const mode_t umask : {mode_t{0}, mode_t{0777}}) {
        const mode_t before = ::umask(umask);
        SystemDisk open_to_group{{.file = 0640, .folder = 0750}};
        const std::string at = "umask" + std::to_string(umask);
        EXPECT_TRUE(disk.make_folder(path(at + "/private")));
        EXPECT_TRUE(open_to_group.make_folder(path(at + "/group")));
        EXPECT_TRUE(disk.create(path(at + "/private/a")));
        EXPECT_TRUE(open_to_group.create(path(at + "/group/a")));
        EXPECT_TRUE(open_to_group.replace(path(at + "/group/b"), "x"));
        EXPECT_TRUE(disk.lock(path(at + "/lock")));
        ::umask(before);

        EXPECT_EQ(mode(at + "/private"), 0700U);
        EXPECT_EQ(mode(at + "/group"), 0750U);
        EXPECT_EQ(mode(at + "/private/a"), 0600U);
        EXPECT_EQ(mode(at + "/group/a"), 0640U);
        EXPECT_EQ(mode(at + "/group/b"), 0640U);
        EXPECT_EQ(mode(at + "/lock"), 0600U);
    }
}

TEST_F(SystemDiskTest, AFolderThatExistsKeepsItsMode) {
    ASSERT_EQ(::mkdir(path("a").c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path("a").c_str(), 0755), 0);
    ASSERT_TRUE(disk.make_folder(path("a")));
    ASSERT_TRUE(disk.make_folder(path("a/b")));
    EXPECT_EQ(mode("a"), 0755U);
    EXPECT_EQ(mode("a/b"), 0700U);
}

TEST_F(SystemDiskTest, OwnersAreAsGiven) {
    // Our own ids: everybody may give a file to himself.
    SystemDisk owned{{.uid = ::getuid(), .gid = ::getgid()}};
    ASSERT_TRUE(owned.make_folder(path("a")));
    ASSERT_TRUE(owned.create(path("a/b")));
    struct stat status{};
    ASSERT_EQ(::stat(path("a/b").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, ::getuid());
    EXPECT_EQ(status.st_gid, ::getgid());
}

TEST_F(SystemDiskTest, PartialAndInterruptedWritesAreContinued) {
    SystemCalls calls;
    calls.write = write_a_byte;
    SystemDisk slow{{}, calls};
    auto file = slow.create(path("a"));
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write("one by one"));
    EXPECT_EQ(content("a"), "one by one");
}

TEST_F(SystemDiskTest, AFullDiskSaysSoAndIsWorthARetry) {
    SystemCalls calls;
    calls.write = write_to_full_disk;
    SystemDisk full{{}, calls};
    auto file = full.create(path("a"));
    ASSERT_TRUE(file);
    const auto written = (*file)->write("12345");
    ASSERT_FALSE(written);
    EXPECT_EQ(content("a"), "123");
    EXPECT_EQ(written.error().category, Error::Category::storage);
    EXPECT_EQ(written.error().next, Error::Next::retry);
    EXPECT_EQ(written.error().what, "cannot write " + path("a") + ": No space left on device");
    EXPECT_EQ(written.error().hint, "free space on the file system of " + path("a"));

    // Nothing is left of what could not be put into place.
    EXPECT_FALSE(full.replace(path("b"), "12345"));
    EXPECT_EQ(*disk.list(path("")), std::vector<std::string>{"a"});
}

TEST_F(SystemDiskTest, ASyncThatFailsIsAnError) {
    fails_sync = EIO;
    SystemCalls calls;
    calls.fdatasync = failing_fdatasync;
    SystemDisk broken{{}, calls};
    auto file = broken.create(path("a"));
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write("x"));
    const auto synced = (*file)->sync();
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().what, "cannot sync " + path("a") + ": Input/output error");
    EXPECT_FALSE(broken.replace(path("b"), "x"));
    EXPECT_FALSE(std::filesystem::exists(path("b")));
}

TEST_F(SystemDiskTest, WithoutRenameat2NothingIsReplacedEither) {
    SystemCalls calls;
    calls.renameat2 = unknown_renameat2;
    SystemDisk old{{}, calls};
    for (const int code : {ENOSYS, EINVAL, EOPNOTSUPP}) {
        refuses_renameat2 = code;
        write("from", "new");
        write("to", "old");
        EXPECT_FALSE(old.rename(path("from"), path("to")));
        EXPECT_EQ(content("to"), "old");
        ASSERT_TRUE(disk.remove(path("to")));
        EXPECT_TRUE(old.rename(path("from"), path("to")));
        EXPECT_EQ(content("to"), "new");
        // An empty folder is what rename() would replace.
        ASSERT_TRUE(disk.make_folder(path("folder")));
        ASSERT_TRUE(disk.make_folder(path("empty")));
        EXPECT_FALSE(old.rename(path("folder"), path("empty")));
    }
    refuses_renameat2 = EACCES;
    const auto refused = old.rename(path("to"), path("elsewhere"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_FALSE(refused.error().hint.empty());
}

TEST_F(SystemDiskTest, LinksAreNotFollowed) {
    write("victim", "precious");
    ASSERT_EQ(::symlink(path("victim").c_str(), path("link").c_str()), 0);
    ASSERT_EQ(::symlink(path("victim").c_str(), path("a.new").c_str()), 0);
    EXPECT_FALSE(disk.create(path("link")));
    EXPECT_FALSE(disk.append(path("link"), 0));
    EXPECT_FALSE(disk.read(path("link")));
    EXPECT_FALSE(disk.lock(path("link")));
    EXPECT_FALSE(disk.size(path("link")));
    ASSERT_TRUE(disk.replace(path("a"), "x"));
    ASSERT_TRUE(disk.replace(path("link"), "y"));
    EXPECT_EQ(content("victim"), "precious");
    EXPECT_EQ(content("link"), "y");

    ASSERT_TRUE(disk.make_folder(path("folder/below")));
    ASSERT_TRUE(disk.make_folder(path("elsewhere")));
    write("elsewhere/precious", "x");
    ASSERT_EQ(::symlink(path("elsewhere").c_str(), path("folder/below/link").c_str()), 0);
    ASSERT_TRUE(disk.remove(path("folder")));
    EXPECT_FALSE(std::filesystem::exists(path("folder")));
    EXPECT_EQ(content("elsewhere/precious"), "x");
}

TEST_F(SystemDiskTest, APipeUnderAFilesNameIsAnErrorAndNoWait) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_FALSE(disk.append(path("pipe"), 0));
    EXPECT_FALSE(disk.size(path("pipe")));
}

TEST_F(SystemDiskTest, AReplacementThatACrashLeftIsTakenAway) {
    write("a.new", "half a repla");
    ASSERT_TRUE(disk.replace(path("a"), "whole"));
    EXPECT_EQ(*disk.list(path("")), std::vector<std::string>{"a"});
    EXPECT_EQ(content("a"), "whole");
}

TEST_F(SystemDiskTest, ALockFileThatWasRemovedExcludesNobodyAndIsMadeAgain) {
    auto first = disk.lock(path("lock"));
    ASSERT_TRUE(first);
    ASSERT_TRUE(disk.remove(path("lock")));
    auto second = disk.lock(path("lock"));
    ASSERT_TRUE(second);
    EXPECT_TRUE(*second);
    EXPECT_TRUE(std::filesystem::exists(path("lock")));
}

TEST_F(SystemDiskTest, AFolderWithoutReadPermissionAboveDoesNoHarm) {
    if (::geteuid() == 0) {
        ASSERT_EQ(::mkdir(path("above").c_str(), 0711), 0);  // root reads it all the same
    } else {
        ASSERT_EQ(::mkdir(path("above").c_str(), 0311), 0);
    }
    ASSERT_EQ(::mkdir(path("above/root").c_str(), 0700), 0);
    EXPECT_TRUE(disk.make_folder(path("above/root")));
    EXPECT_TRUE(disk.make_folder(path("above/root/table")));
    ASSERT_EQ(::chmod(path("above").c_str(), 0700), 0);
}

}  // namespace
}  // namespace pgc
