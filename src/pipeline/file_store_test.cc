#include "pipeline/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/position_text.h"

namespace pgc {
namespace {

using testing::HasSubstr;

const StoredPosition kPosition{.pipeline = "shop",
                               .system = "7340123456789012345",
                               .timeline = 4,
                               .database = "shop",
                               .slot = "pg_slot",
                               .resume_at = Lsn{0x16'B374D848}};

class FileStoreTest : public testing::Test {
protected:
    static constexpr const char* path = "/state/shop.position";
    SimulatedFiles files;
    FileStore store{files, "shop", path};

    Error load_error() {
        const auto loaded = store.load();
        EXPECT_FALSE(loaded);
        return loaded ? Error{} : loaded.error();
    }
};

TEST_F(FileStoreTest, HasNothingBeforeTheFirstSave) {
    const auto loaded = store.load();
    ASSERT_TRUE(loaded);
    EXPECT_FALSE((*loaded)->position);
}

TEST_F(FileStoreTest, GivesBackWhatWasSaved) {
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_TRUE(*store.saved());
    EXPECT_EQ((*store.load())->position, kPosition);
    FileStore next{files, "shop", path};
    EXPECT_EQ((*next.load())->position, kPosition);
}

// A predecessor that was frozen and wakes up.
TEST_F(FileStoreTest, WhatASuccessorHasStoredIsNotOverwritten) {
    ASSERT_TRUE(store.save(kPosition));
    ASSERT_TRUE(store.load());
    FileStore successor{files, "shop", path};
    ASSERT_TRUE(successor.load());
    StoredPosition later = kPosition;
    later.resume_at = Lsn{0x17'00000000};
    later.snapshot = "a request";
    ASSERT_TRUE(successor.save(later));

    const auto late = store.save(kPosition);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().next, Error::Next::retry);
    EXPECT_EQ(late.error().category, Error::Category::position);
    EXPECT_THAT(late.error().what, HasSubstr("another instance"));
    EXPECT_EQ((*successor.load())->position, later);

    EXPECT_EQ((*store.load())->position, later);
    EXPECT_TRUE(store.save(kPosition)) << "who has looked knows what he does";
}

TEST_F(FileStoreTest, AFirstPositionOfTwoIsNotOverwrittenEither) {
    ASSERT_TRUE(store.load());
    FileStore other{files, "shop", path};
    ASSERT_TRUE(other.load());
    ASSERT_TRUE(other.save(kPosition));
    EXPECT_FALSE(store.save(kPosition));
}

TEST_F(FileStoreTest, AFileThatWasTakenAwayIsWrittenAgain) {
    ASSERT_TRUE(store.load());
    ASSERT_TRUE(store.save(kPosition));
    ASSERT_TRUE(files.remove(path));
    EXPECT_TRUE(store.save(kPosition));
    EXPECT_EQ((*store.load())->position, kPosition);
}

TEST_F(FileStoreTest, ASaveThatFailedMayBeDoneAgain) {
    ASSERT_TRUE(store.load());
    files.fail_next_replaces(1);
    EXPECT_FALSE(store.save(kPosition));
    EXPECT_TRUE(store.save(kPosition));
}

TEST_F(FileStoreTest, SaysWhatIsWrongAndHowToGoOn) {
    ASSERT_TRUE(files.replace(path, "hello\n"));
    Error error = load_error();
    EXPECT_EQ(error.category, Error::Category::position);
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_THAT(error.what, HasSubstr("not a position of pg-capture"));
    EXPECT_EQ(error.where, path);
    EXPECT_THAT(error.hint, HasSubstr("pg-capture position reset --yes"));

    ASSERT_TRUE(files.replace(path, "pg-capture position 2\nx=1\n"));
    EXPECT_THAT(load_error().what, HasSubstr("another version"));
    ASSERT_TRUE(files.replace(path, write_position(kPosition).substr(0, 60)));
    EXPECT_THAT(load_error().what, HasSubstr("cut short"));
}

TEST_F(FileStoreTest, ForgetsWhateverIsThereButForAnotherPipelines) {
    ASSERT_TRUE(store.forget()) << "nothing is fine";
    ASSERT_TRUE(files.replace(path, "hello\n"));
    ASSERT_TRUE(store.forget());
    EXPECT_FALSE((*store.load())->position);
    ASSERT_TRUE(store.save(kPosition));
    FileStore other{files, "bank", path};
    EXPECT_THAT(other.forget().error().what, HasSubstr("pipeline shop, not to bank"));
    EXPECT_TRUE((*store.load())->position);
    ASSERT_TRUE(store.forget());
    EXPECT_FALSE((*store.load())->position);
}

TEST_F(FileStoreTest, RefusesAnotherPipelinesPosition) {
    ASSERT_TRUE(store.save(kPosition));
    FileStore other{files, "bank", path};
    const auto loaded = other.load();
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().what, HasSubstr("pipeline shop, not to bank"));
}

TEST_F(FileStoreTest, AFullDiskIsAnErrorAndKeepsTheOldPosition) {
    ASSERT_TRUE(store.save(kPosition));
    StoredPosition next = kPosition;
    next.resume_at = Lsn{0x17'00000000};
    files.fail_next_replaces(1);
    const auto saved = store.save(next);
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().category, Error::Category::storage);
    EXPECT_EQ(saved.error().next, Error::Next::stop);
    EXPECT_EQ((*store.load())->position, kPosition);
}

TEST_F(FileStoreTest, AnUnreadableDiskIsAnErrorNotAnEmptyStore) {
    ASSERT_TRUE(store.save(kPosition));
    files.fail_next_reads(1);
    EXPECT_EQ(load_error().category, Error::Category::storage);
}

TEST_F(FileStoreTest, ADirectoryThatCannotBeMadeIsToldWithItsOption) {
    files.fail_next_directories(1);
    const auto saved = store.save(kPosition);
    ASSERT_FALSE(saved);
    EXPECT_THAT(saved.error().hint, HasSubstr("state.dir"));
    EXPECT_TRUE(store.save(kPosition)) << "and it is tried again";
}

TEST(FileStoreOnDiskTest, MakesItsDirectoryAndAFileForItsOwnerOnly) {
    namespace fs = std::filesystem;
    const fs::path root =
        fs::path{testing::TempDir()} / ("pgc-store-" + std::to_string(::getpid()));
    const std::string path = root / "deep" / "er" / "shop.position";
    SystemFiles files;
    {
        FileStore store{files, "shop", path};
        ASSERT_TRUE(store.load());
        const auto saved = store.save(kPosition);
        ASSERT_TRUE(saved) << describe(saved.error());
        EXPECT_EQ((*store.load())->position, kPosition);
    }
    EXPECT_EQ(fs::status(path).permissions(), fs::perms{0600});
    EXPECT_EQ(fs::status(root / "deep").permissions(), fs::perms{0700});
    fs::remove_all(root);
}

TEST(FileStoreOnDiskTest, AFileInTheDirectorysPlaceIsAnError) {
    namespace fs = std::filesystem;
    const fs::path root = fs::path{testing::TempDir()} / ("pgc-file-" + std::to_string(::getpid()));
    SystemFiles files;
    ASSERT_TRUE(files.replace(root, "a file"));
    FileStore store{files, "shop", root / "shop.position"};
    EXPECT_FALSE(store.save(kPosition));
    fs::remove_all(root);
}

}  // namespace
}  // namespace pgc
