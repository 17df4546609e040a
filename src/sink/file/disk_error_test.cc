#include "sink/file/disk_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace pgc {
namespace {

TEST(DiskErrorTest, SaysWhatWhereAndWhatToDo) {
    for (const int code : {ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EIO, EMFILE, EXDEV, ENOLCK}) {
        const Error error = disk_error("create", "/data/a", code);
        EXPECT_EQ(error.category, Error::Category::storage) << code;
        EXPECT_TRUE(error.what.starts_with("cannot create /data/a: ")) << error.what;
        EXPECT_FALSE(error.hint.empty()) << error.what;
    }
}

TEST(DiskErrorTest, WhatMayPassByItselfIsRetried) {
    for (const int code : {ENOSPC, EDQUOT, EIO, ENFILE, ESTALE}) {
        EXPECT_EQ(disk_error("write", "a", code).next, Error::Next::retry) << code;
    }
    for (const int code : {EROFS, EACCES, EPERM, ENOENT, EEXIST, ELOOP, ENOTDIR}) {
        EXPECT_EQ(disk_error("write", "a", code).next, Error::Next::stop) << code;
    }
}

TEST(DiskErrorTest, TheFolderOfAPathIsWhatItsEntryIsIn) {
    EXPECT_EQ(parent_folder("/a/b"), "/a");
    EXPECT_EQ(parent_folder("/a/b/"), "/a");
    EXPECT_EQ(parent_folder("/a//b"), "/a");
    EXPECT_EQ(parent_folder("/a"), "/");
    EXPECT_EQ(parent_folder("//a"), "/");
    EXPECT_EQ(parent_folder("/"), "/");
    EXPECT_EQ(parent_folder("a/b"), "a");
    EXPECT_EQ(parent_folder("a"), ".");
    EXPECT_EQ(parent_folder(""), ".");
}

}  // namespace
}  // namespace pgc
