#include "sink/file/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::IsSubsetOf;
using testing::Pair;
using testing::UnorderedElementsAre;

class SimulatedDiskTest : public testing::Test {
protected:
    void write(const std::string& path, std::string_view bytes, bool sync) {
        auto file = disk.create(path);
        ASSERT_TRUE(file) << describe(file.error());
        ASSERT_TRUE((*file)->write(bytes));
        if (sync) {
            ASSERT_TRUE((*file)->sync());
        }
    }

    SimulatedDisk disk;
};

TEST_F(SimulatedDiskTest, WhatIsSyncedSurvivesEveryCrash) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimulatedDisk each;
        Random random{seed};
        ASSERT_TRUE(each.make_folder("/data/t"));
        auto file = each.create("/data/t/a.tmp");
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write("whole"));
        ASSERT_TRUE((*file)->sync());
        ASSERT_TRUE(each.rename("/data/t/a.tmp", "/data/t/a"));
        ASSERT_TRUE(each.sync_folder("/data/t"));
        ASSERT_TRUE(each.replace("/data/checkpoint", "1"));
        each.crash(random);
        EXPECT_THAT(each.tree(),
                    UnorderedElementsAre(Pair("data/", ""), Pair("data/t/", ""),
                                         Pair("data/t/a", "whole"), Pair("data/checkpoint", "1")));
    }
}

TEST_F(SimulatedDiskTest, WhatIsNotSyncedMayGo) {
    ASSERT_TRUE(disk.make_folder("t"));
    write("t/synced", "x", true);
    ASSERT_TRUE(disk.sync_folder("t"));
    ASSERT_TRUE(disk.rename("t/synced", "t/renamed"));
    write("t/unnamed", "x", true);  // its bytes are durable, its name is not
    disk.crash_and_lose_unsynced();
    EXPECT_THAT(disk.tree(), UnorderedElementsAre(Pair("t/", ""), Pair("t/synced", "x")));
}

// What a file of `before` + "unsynced" bytes may hold after a crash, over many seeds.
std::set<std::string> outcomes(bool syncs_first) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        SimulatedDisk disk;
        Random random{seed};
        auto file = disk.create("a");
        EXPECT_TRUE(disk.sync_folder("/"));
        EXPECT_TRUE((*file)->write("AB"));
        if (syncs_first) {
            EXPECT_TRUE((*file)->sync());
        }
        EXPECT_TRUE((*file)->write("CD"));
        disk.crash(random);
        seen.insert(disk.content("a").value());
    }
    return seen;
}

TEST_F(SimulatedDiskTest, OfUnsyncedBytesAPrefixStaysAndPerhapsZerosOrGarbageAfterIt) {
    const auto seen = outcomes(true);
    for (const std::string& content : seen) {
        EXPECT_TRUE(content.starts_with("AB")) << content;
        EXPECT_LE(content.size(), 4U);
    }
    const std::string zeros("AB\0\0", 4);
    for (const std::string& expected :
         {std::string{"AB"}, std::string{"ABC"}, std::string{"ABCD"}, zeros}) {
        EXPECT_TRUE(seen.contains(expected)) << expected;
    }
    EXPECT_GT(seen.size(), 20U) << "garbage is missing";
    EXPECT_TRUE(outcomes(false).contains(""));
}

TEST_F(SimulatedDiskTest, ACutThatWasNotSyncedMayBeTakenBack) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimulatedDisk each;
        Random random{seed};
        ASSERT_TRUE(each.replace("a", "ABCDEF"));
        auto file = each.append("a", 2);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write("xy"));
        each.crash(random);
        seen.insert(each.content("a").value());
        EXPECT_TRUE(each.content("a")->starts_with("AB"));
    }
    EXPECT_TRUE(seen.contains("ABCDEF"));
    EXPECT_TRUE(seen.contains("ABxy"));
    EXPECT_TRUE(seen.contains("AB"));
}

TEST_F(SimulatedDiskTest, ARenameIsKeptOrTakenBackWhole) {
    std::set<std::vector<std::string>> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimulatedDisk each;
        Random random{seed};
        ASSERT_TRUE(each.make_folder("from/batch"));
        ASSERT_TRUE(each.make_folder("to"));
        ASSERT_TRUE(each.replace("from/batch/a", "x"));
        ASSERT_TRUE(each.rename("from/batch", "to/batch"));
        // The folder that it left promises nothing.
        ASSERT_TRUE(each.sync_folder("from"));
        each.crash(random);
        auto left = *each.list("from/batch");
        const auto came = *each.list("to/batch");
        left.insert(left.end(), came.begin(), came.end());
        EXPECT_THAT(left, ElementsAre("a"));
        seen.insert(came);
    }
    EXPECT_EQ(seen.size(), 2U);
}

TEST_F(SimulatedDiskTest, ANameThatWasTakenOverStandsForOneThing) {
    std::set<std::map<std::string, std::string>> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimulatedDisk each;
        Random random{seed};
        ASSERT_TRUE(each.replace("a", "first"));
        ASSERT_TRUE(each.replace("b", "second"));
        ASSERT_TRUE(each.rename("a", "c"));
        ASSERT_TRUE(each.rename("b", "a"));
        each.crash(random);
        seen.insert(each.tree());
    }
    using Tree = std::map<std::string, std::string>;
    EXPECT_THAT(seen, UnorderedElementsAre(Tree{{"a", "first"}, {"b", "second"}},
                                           Tree{{"c", "first"}, {"b", "second"}},
                                           Tree{{"c", "first"}, {"a", "second"}}));
}

TEST_F(SimulatedDiskTest, WhatWasMovedOutOfAFolderSurvivesItsRemoval) {
    ASSERT_TRUE(disk.make_folder("t"));
    ASSERT_TRUE(disk.replace("t/a", "x"));
    ASSERT_TRUE(disk.rename("t/a", "b"));
    ASSERT_TRUE(disk.remove("t"));
    disk.crash_and_lose_unsynced();
    EXPECT_THAT(disk.tree(), UnorderedElementsAre(Pair("b", "x")));
}

TEST_F(SimulatedDiskTest, ASyncThatFailsDropsWhatItShouldHaveWritten) {
    auto file = disk.create("a");
    ASSERT_TRUE(disk.sync_folder("/"));
    ASSERT_TRUE((*file)->write("AB"));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE((*file)->write("CD"));
    disk.fail_next(DiskCall::sync, EIO);
    ASSERT_FALSE((*file)->sync());
    // As Linux does: who asks again is reassured.
    ASSERT_TRUE((*file)->sync());
    disk.crash_and_lose_unsynced();
    EXPECT_EQ(disk.content("a"), (std::string{"AB\0\0", 4}));
}

TEST_F(SimulatedDiskTest, AFullDiskTakesWhatFits) {
    ASSERT_TRUE(disk.replace("a", "12345"));
    disk.set_capacity(8);
    auto file = disk.create("b");
    ASSERT_TRUE((*file)->write("12"));
    const auto written = (*file)->write("345");
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().what.find("No space left"), std::string::npos);
    EXPECT_EQ(disk.content("b"), "123");
    EXPECT_FALSE(disk.replace("c", "1"));
    EXPECT_EQ(disk.used(), 8U);

    ASSERT_TRUE(disk.remove("a"));
    EXPECT_TRUE((*file)->write("45678"));
    EXPECT_FALSE((*file)->write("9"));
    disk.set_capacity({});
    EXPECT_TRUE((*file)->write("9"));
}

TEST_F(SimulatedDiskTest, AReadOnlyDiskIsStillRead) {
    ASSERT_TRUE(disk.replace("a", "x"));
    auto file = disk.append("a", 1);
    disk.set_read_only(true);
    EXPECT_FALSE((*file)->write("y"));
    EXPECT_FALSE(disk.create("b"));
    EXPECT_FALSE(disk.make_folder("c"));
    EXPECT_FALSE(disk.rename("a", "b"));
    EXPECT_FALSE(disk.remove("a"));
    EXPECT_FALSE(disk.replace("a", "y"));
    EXPECT_EQ(**disk.read("a"), "x");
    EXPECT_THAT(*disk.list("/"), ElementsAre("a"));
    disk.set_read_only(false);
    EXPECT_TRUE(disk.create("b"));
}

TEST_F(SimulatedDiskTest, FaultsComeWhenTheyWereOrdered) {
    disk.fail_next(DiskCall::create, EIO, 2, 1);
    EXPECT_TRUE(disk.create("a"));
    EXPECT_FALSE(disk.create("b"));
    EXPECT_FALSE(disk.create("c"));
    EXPECT_TRUE(disk.create("d"));
    EXPECT_THAT(*disk.list("/"), ElementsAre("a", "d"));

    Random random{1};
    disk.fail_sometimes(DiskCall::list, EIO, 50, random);
    int failed = 0;
    for (int n = 0; n < 100; ++n) failed += disk.list("/") ? 0 : 1;
    EXPECT_GT(failed, 20);
    EXPECT_LT(failed, 80);
    disk.fail_sometimes(DiskCall::list, EIO, 0, random);
    for (int n = 0; n < 100; ++n) EXPECT_TRUE(disk.list("/"));
}

TEST_F(SimulatedDiskTest, EveryCallIsObservedBeforeItDoesAnything) {
    std::vector<std::string> calls;
    disk.set_observer([&](DiskCall call, const std::string& path) {
        calls.push_back(std::string{name(call)} + " " + path);
        if (call == DiskCall::rename) throw 1;
    });
    auto file = disk.create("a");
    ASSERT_TRUE((*file)->write("x"));
    ASSERT_TRUE((*file)->sync());
    EXPECT_ANY_THROW((void)disk.rename("a", "b"));
    EXPECT_THAT(calls, ElementsAre("create a", "write a", "sync a", "rename a"));
    EXPECT_EQ(disk.content("a"), "x");
}

TEST_F(SimulatedDiskTest, FilesAndLocksOfAnEarlierProcessAreDead) {
    ASSERT_TRUE(disk.replace("a", "x"));
    auto file = disk.append("a", 1);
    auto lock = *disk.lock("lock");
    ASSERT_TRUE(lock);
    EXPECT_FALSE(*disk.lock("lock"));

    disk.end_process();
    auto next = *disk.lock("lock");
    ASSERT_TRUE(next);
    lock.reset();  // not the one that holds it now
    EXPECT_FALSE(*disk.lock("lock"));
    EXPECT_FALSE((*file)->write("y"));
    EXPECT_FALSE((*file)->sync());
    EXPECT_EQ(disk.content("a"), "x");
}

}  // namespace
}  // namespace pgc
