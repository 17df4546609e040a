#include "base/spill_folder.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pgc {
namespace {

namespace fs = std::filesystem;

class SystemSpillFolderTest : public testing::Test {
protected:
    SystemSpillFolderTest() {
        std::string pattern = (fs::temp_directory_path() / "pgc-spill-XXXXXX").string();
        above_ = ::mkdtemp(pattern.data());
    }
    ~SystemSpillFolderTest() override { fs::remove_all(above_); }

    std::string path() const { return above_ + "/state/shop.spill"; }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(path())) {
            all.push_back(entry.path().filename().string());
        }
        std::ranges::sort(all);
        return all;
    }
    static std::string content(SpillFolder& folder, SpillFolder::File file, std::uint64_t at = 0) {
        std::string all(1000, '\0');
        const auto got = folder.read(file, at, all);
        EXPECT_TRUE(got);
        all.resize(got.value_or(0));
        return all;
    }
    static mode_t mode_of(const std::string& path) {
        struct stat found{};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found.st_mode & 0777;
    }

    std::string above_;
};

TEST_F(SystemSpillFolderTest, KeepsWhatIsWrittenAnywhereInAFile) {
    SystemSpillFolder folder{path()};
    ASSERT_TRUE(folder.prepare());
    const auto a = *folder.create();
    const auto b = *folder.create();
    ASSERT_TRUE(folder.write(a, 0, "hello"));
    ASSERT_TRUE(folder.write(b, 0, "other"));
    ASSERT_TRUE(folder.write(a, 5, ", world"));
    EXPECT_EQ(content(folder, a), "hello, world");
    EXPECT_EQ(content(folder, a, 7), "world");
    EXPECT_EQ(content(folder, a, 12), "");
    EXPECT_EQ(content(folder, b), "other");
    ASSERT_TRUE(folder.truncate(a, 5));
    EXPECT_EQ(content(folder, a), "hello");
}

TEST_F(SystemSpillFolderTest, OnlyItsOwnerMayReadIt) {
    SystemSpillFolder folder{path()};
    ASSERT_TRUE(folder.prepare());
    ASSERT_TRUE(folder.create());
    EXPECT_EQ(mode_of(path()), 0700U);
    ASSERT_EQ(names().size(), 1U);
    EXPECT_EQ(mode_of(path() + "/" + names()[0]), 0600U);
}

TEST_F(SystemSpillFolderTest, NothingIsThereBeforeAFileIsMadeAndAfterItIsRemoved) {
    SystemSpillFolder folder{path()};
    ASSERT_TRUE(folder.prepare());
    EXPECT_TRUE(names().empty());
    const auto file = *folder.create();
    ASSERT_TRUE(folder.write(file, 0, "x"));
    folder.remove(file);
    EXPECT_TRUE(names().empty());
}

TEST_F(SystemSpillFolderTest, RemovesWhatARunBeforeLeftAndNothingElse) {
    {
        SystemSpillFolder killed{path()};
        ASSERT_TRUE(killed.prepare());
        ASSERT_TRUE(killed.create());
        ASSERT_TRUE(killed.create());
    }
    for (const char* foreign : {"notes.txt", "0123-4.spill", ".spill", "shop.spill",
                                "0123456789abcdef-x.spill", "0123456789abcdef-.spill"}) {
        std::ofstream{path() + "/" + foreign} << "mine";
    }
    EXPECT_EQ(names().size(), 8U);
    SystemSpillFolder folder{path()};
    ASSERT_TRUE(folder.prepare());
    EXPECT_EQ(names().size(), 6U);
}

TEST_F(SystemSpillFolderTest, SweepsWithoutMakingTheFolder) {
    SystemSpillFolder{path()}.sweep();
    EXPECT_FALSE(fs::exists(above_ + "/state"));
    {
        SystemSpillFolder killed{path()};
        ASSERT_TRUE(killed.prepare());
        ASSERT_TRUE(killed.create());
    }
    SystemSpillFolder{path()}.sweep();
    EXPECT_TRUE(names().empty());
}

TEST_F(SystemSpillFolderTest, WhoWakesUpWhenItsFilesAreGoneNeverWritesIntoAnothers) {
    SystemSpillFolder frozen{path()};
    ASSERT_TRUE(frozen.prepare());
    const auto old = *frozen.create();
    ASSERT_TRUE(frozen.create());  // `old` is not the open one any more
    SystemSpillFolder successor{path()};
    ASSERT_TRUE(successor.prepare());
    const auto its = *successor.create();
    ASSERT_TRUE(successor.write(its, 0, "its"));
    EXPECT_FALSE(frozen.write(old, 0, "late"));
    EXPECT_EQ(content(successor, its), "its");
}

TEST_F(SystemSpillFolderTest, ALinkInThePlaceOfTheFolderIsNotFollowed) {
    fs::create_directories(above_ + "/state");
    fs::create_directories(above_ + "/elsewhere");
    fs::create_directory_symlink(above_ + "/elsewhere", path());
    EXPECT_FALSE(SystemSpillFolder{path()}.prepare());
    EXPECT_TRUE(fs::is_empty(above_ + "/elsewhere"));
}

TEST_F(SystemSpillFolderTest, AFileInThePlaceOfTheFolderIsAnError) {
    fs::create_directories(above_ + "/state");
    std::ofstream{path()} << "not a folder";
    const auto prepared = SystemSpillFolder{path()}.prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().category, Error::Category::storage);
}

TEST_F(SystemSpillFolderTest, ItCanBeSeenBeforeItIsMadeWhetherItCouldBe) {
    EXPECT_TRUE(may_become_spill_folder(path()));
    EXPECT_FALSE(fs::exists(above_ + "/state"));
    std::ofstream{above_ + "/state"} << "not a folder";
    const auto may = may_become_spill_folder(path());
    ASSERT_FALSE(may);
    EXPECT_NE(may.error().what.find(above_ + "/state"), std::string::npos);
}

TEST_F(SystemSpillFolderTest, AFileThatMayNotGrowIsAnError) {
    SystemSpillFolder folder{path()};
    ASSERT_TRUE(folder.prepare());
    const auto file = *folder.create();
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlimit small{4096, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = folder.write(file, 0, std::string(10'000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    ::signal(SIGXFSZ, before);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().category, Error::Category::storage);
}

}  // namespace
}  // namespace pgc
