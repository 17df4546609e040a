#include "sink/file/cleaner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "sink/file/layout.h"
#include "sink/file/simulated_disk.h"
#include "support/fake_file_index.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRoot = "/files";

class FileCleanerTest : public testing::Test {
protected:
    FileCleanerTest() { EXPECT_TRUE(disk_.make_folder(hidden_folder(kRoot))); }

    // A registered batch of a table, with the files that belong to it.
    void put(const std::string& table, int number, bool loaded = false) {
        const std::string batch = "2026113" + std::to_string(number) + "T000000Z";
        const std::string folder = table + "/" + batch;
        EXPECT_TRUE(disk_.make_folder(std::string{kRoot} + "/" + folder));
        for (const char* name : {"streaming.csv", "manifest.json", "schema.yml"}) {
            EXPECT_TRUE(disk_.replace(std::string{kRoot} + "/" + folder + "/" + name, "x"));
        }
        index_.add({.table = {"public", table},
                    .batch = batch,
                    .path = folder + "/streaming.csv",
                    .rows = 1,
                    .bytes = 1,
                    .closed_at = {number}},
                   loaded);
    }
    std::vector<OldBatch> all(bool only_loaded = false) {
        auto batches = index_.removable({.keep = 0, .only_loaded = only_loaded, .tables = {}}, 100);
        EXPECT_TRUE(batches);
        return *batches;
    }
    std::set<std::string> folders() const {
        std::set<std::string> found;
        for (const auto& [path, content] : disk_.tree()) {
            if (path.ends_with("Z/")) found.insert(path);
        }
        return found;
    }
    // A row whose file is gone is what must never be.
    void expect_registered_is_there() const {
        for (const IndexedFile& one : index_.rows) {
            EXPECT_TRUE(disk_.content(std::string{kRoot} + "/" + one.file.path)) << one.file.path;
        }
    }

    SimulatedDisk disk_;
    FakeFileIndex index_;
    FileCleaner cleaner_{kRoot, index_, disk_};
};

TEST_F(FileCleanerTest, ABatchGoesWithAllThatBelongsToIt) {
    put("a", 1);
    put("a", 2);
    ASSERT_TRUE(*cleaner_.lock());
    const auto done = cleaner_.remove({all().front()}, false, "because");
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(done->batches, 1U);
    EXPECT_EQ(done->bytes, 1U);
    EXPECT_EQ(folders(), std::set<std::string>{"files/a/20261132T000000Z/"});
    EXPECT_EQ(index_.rows.size(), 1U);
    EXPECT_EQ(index_.why, "because");
    EXPECT_EQ(disk_.content(removing_path(kRoot)), std::nullopt);
}

TEST_F(FileCleanerTest, WhatIsNotLoadedByThenStays) {
    put("a", 1, true);
    put("a", 2, true);
    const auto batches = all(true);
    ASSERT_EQ(batches.size(), 2U);
    index_.rows[0].loaded = false;  // the loader takes it back
    ASSERT_TRUE(*cleaner_.lock());
    ASSERT_TRUE(cleaner_.remove(batches, true, ""));
    EXPECT_EQ(folders(), std::set<std::string>{"files/a/20261131T000000Z/"});
    expect_registered_is_there();
}

TEST_F(FileCleanerTest, OneProcessAtATimeRemoves) {
    FileCleaner other{kRoot, index_, disk_};
    ASSERT_TRUE(*cleaner_.lock());
    EXPECT_EQ(*other.lock(), false);
    ASSERT_TRUE(cleaner_.unlock());
    EXPECT_EQ(*other.lock(), true);
    EXPECT_EQ(disk_.content(std::string{kRoot} + "/.pg-capture/clean.lock"), "");
}

// The path of a row is a text in a database that others may write.
TEST_F(FileCleanerTest, AFolderElsewhereIsNotRemoved) {
    for (const char* folder : {"", "..", "../etc", "a/../..", "/etc", "a//b", ".pg-capture/open"}) {
        OldBatch batch;
        batch.folder = folder;
        batch.paths = {std::string{folder} + "/streaming.csv"};
        const auto done = cleaner_.remove({batch}, false, "");
        ASSERT_FALSE(done) << folder;
        EXPECT_EQ(done.error().category, Error::Category::position);
        EXPECT_FALSE(index_.asked_to_remove);
    }
    EXPECT_TRUE(is_sound_below_root("a/20261130T174500Z"));
}

TEST_F(FileCleanerTest, WhatTheRegistryRefusesStaysAndIsForgotten) {
    put("a", 1);
    index_.fails = stop(Error::Category::permission, "permission denied");
    ASSERT_TRUE(*cleaner_.lock());
    EXPECT_FALSE(cleaner_.remove(all(), false, ""));
    EXPECT_EQ(disk_.content(removing_path(kRoot)), std::nullopt);
    expect_registered_is_there();
}

TEST_F(FileCleanerTest, WhetherRowsAreGoneIsFoundOutWhereNobodyKnows) {
    for (const bool arrived : {false, true}) {
        put("a", arrived ? 2 : 1);
        index_.fails = retry(Error::Category::connection, "cut");
        index_.removes_all_the_same = arrived;
        ASSERT_TRUE(*cleaner_.lock());
        EXPECT_FALSE(cleaner_.remove(all(), false, ""));
        EXPECT_TRUE(disk_.content(removing_path(kRoot)));
        index_.fails.reset();
        const auto finished = cleaner_.finish();
        ASSERT_TRUE(finished) << describe(finished.error());
        EXPECT_EQ(folders().size(), index_.rows.size());
        expect_registered_is_there();
        EXPECT_EQ(disk_.content(removing_path(kRoot)), std::nullopt);
    }
}

TEST_F(FileCleanerTest, AListThatIsNotOursIsNotFollowed) {
    for (const char* text : {"", "{}", R"({"folders":[{"folder":"../a","paths":[]}]})"}) {
        ASSERT_TRUE(disk_.replace(removing_path(kRoot), text));
        const auto finished = cleaner_.finish();
        ASSERT_FALSE(finished) << text;
        EXPECT_THAT(finished.error().hint, HasSubstr("files verify"));
    }
}

// Dies at any call of the disk or the registry, with a power cut or without, and is begun again.
TEST_F(FileCleanerTest, WhereverItDiesNoRowIsWithoutItsFileAndNothingIsLeft) {
    struct Dead {};
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        index_.rows.clear();
        for (int i = 1; i <= 6; ++i) put(i % 2 != 0 ? "a" : "b", i, random.chance(50));
        const bool only_loaded = random.chance(50);
        const auto wanted = all(only_loaded);
        std::uint64_t left = random.below(40);
        const auto step = [&] {
            if (left-- == 0) throw Dead{};
        };
        disk_.set_observer([&](DiskCall, const std::string&) { step(); });
        index_.step = step;
        for (bool done = false; !done;) {
            try {
                FileCleaner cleaner{kRoot, index_, disk_};
                ASSERT_TRUE(*cleaner.lock());
                ASSERT_TRUE(cleaner.finish());
                ASSERT_TRUE(cleaner.remove(all(only_loaded), only_loaded, ""));
                done = true;
            } catch (const Dead&) {
                left = random.below(60);
                if (random.chance(50)) {
                    disk_.crash(random);
                } else {
                    disk_.end_process();
                }
            }
            disk_.set_observer({});
            expect_registered_is_there();
            disk_.set_observer([&](DiskCall, const std::string&) { step(); });
        }
        disk_.set_observer({});
        index_.step = {};
        disk_.end_process();
        EXPECT_THAT(all(only_loaded), IsEmpty());
        EXPECT_EQ(folders().size(), index_.rows.size()) << "no folder is left over";
        EXPECT_EQ(index_.rows.size(), 6 - wanted.size());
        ASSERT_TRUE(disk_.remove(std::string{kRoot} + "/a"));
        ASSERT_TRUE(disk_.remove(std::string{kRoot} + "/b"));
    }
}

}  // namespace
}  // namespace pgc
