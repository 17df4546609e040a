// What sink/file/disk.h promises while the machine stays up, asked of every disk. What a crash
// leaves is asked of the simulated one (sink/file/simulated_disk_test.cc).
//
// A new disk: a line in kPlaces.
#include "sink/file/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sink/file/simulated_disk.h"
#include "sink/file/system_disk.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A disk with an empty folder on it.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    std::unique_ptr<Disk> disk;
    std::string folder;
};

struct SystemRig final : Rig {
    SystemRig() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgc-disk-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        disk = std::make_unique<SystemDisk>();
    }
    ~SystemRig() override { std::filesystem::remove_all(folder); }
};

struct SimulatedRig final : Rig {
    SimulatedRig() {
        folder = "/data";
        disk = std::make_unique<SimulatedDisk>();
        EXPECT_TRUE(disk->make_folder(folder));
    }
};

struct Place {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();
};

void PrintTo(const Place& place, std::ostream* out) {
    *out << place.name;
}

template <typename T>
std::unique_ptr<Rig> make() {
    return std::make_unique<T>();
}

constexpr Place kPlaces[] = {
    {"System", make<SystemRig>},
    {"Simulated", make<SimulatedRig>},
};

class DiskTest : public testing::TestWithParam<Place> {
protected:
    std::string path(const std::string& name) const { return rig_->folder + "/" + name; }
    Disk& disk() { return *rig_->disk; }

    void write(const std::string& name, std::string_view bytes) {
        auto file = disk().create(path(name));
        ASSERT_TRUE(file) << describe(file.error());
        ASSERT_TRUE((*file)->write(bytes));
        ASSERT_TRUE((*file)->sync());
    }
    std::string content(const std::string& name) {
        const auto read = disk().read(path(name));
        if (!read) return describe(read.error());
        return read->value_or("(nothing)");
    }
    std::vector<std::string> names(const std::string& name = "") {
        const auto listed = disk().list(path(name));
        return listed ? *listed : std::vector<std::string>{describe(listed.error())};
    }
    template <typename T>
    void expect_error(const Result<T>& result, std::string_view text) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().category, Error::Category::storage);
        EXPECT_THAT(result.error().what, HasSubstr(text));
        EXPECT_THAT(result.error().what, HasSubstr(rig_->folder));
    }

private:
    std::unique_ptr<Rig> rig_ = GetParam().make();
};

TEST_P(DiskTest, AFileHoldsWhatWasWrittenInOrder) {
    auto file = disk().create(path("a"));
    ASSERT_TRUE(file);
    EXPECT_EQ(content("a"), "");
    ASSERT_TRUE((*file)->write("one"));
    ASSERT_TRUE((*file)->write(""));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE((*file)->write(std::string_view{"\0two", 4}));
    EXPECT_EQ(content("a"), (std::string{"one\0two", 7}));
    EXPECT_EQ(**disk().size(path("a")), 7U);
    const std::string large(3'000'000, 'x');
    ASSERT_TRUE((*file)->write(large));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ(**disk().size(path("a")), 3'000'007U);
}

TEST_P(DiskTest, WhatIsThereIsNotCreated) {
    write("a", "x");
    expect_error(disk().create(path("a")), "File exists");
    ASSERT_TRUE(disk().make_folder(path("b")));
    expect_error(disk().create(path("b")), "File exists");
    expect_error(disk().create(path("none/c")), "No such file");
    expect_error(disk().create(path("a/c")), "Not a directory");
    EXPECT_EQ(content("a"), "x");
}

TEST_P(DiskTest, AppendingGoesOnWhereItIsTold) {
    write("a", "12345");
    {
        auto file = disk().append(path("a"), 5);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write("67"));
        ASSERT_TRUE((*file)->sync());
    }
    EXPECT_EQ(content("a"), "1234567");
    {
        auto file = disk().append(path("a"), 2);
        ASSERT_TRUE(file);
        EXPECT_EQ(content("a"), "12");
        ASSERT_TRUE((*file)->write("x"));
    }
    EXPECT_EQ(content("a"), "12x");
}

TEST_P(DiskTest, AFileThatIsShorterThanRegisteredIsNotAppendedTo) {
    write("a", "123");
    const auto file = disk().append(path("a"), 4);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().category, Error::Category::position);
    EXPECT_EQ(file.error().next, Error::Next::stop);
    EXPECT_THAT(file.error().what, HasSubstr("3 bytes"));
    EXPECT_EQ(content("a"), "123");
    expect_error(disk().append(path("none"), 0), "No such file");
    ASSERT_TRUE(disk().make_folder(path("b")));
    expect_error(disk().append(path("b"), 0), "Is a directory");
}

TEST_P(DiskTest, FoldersAreMadeWithThoseAboveThem) {
    ASSERT_TRUE(disk().make_folder(path("a/b/c")));
    ASSERT_TRUE(disk().make_folder(path("a/b/c")));
    ASSERT_TRUE(disk().make_folder(path("a/b/d/")));
    EXPECT_THAT(names("a/b"), ElementsAre("c", "d"));
    write("file", "x");
    expect_error(disk().make_folder(path("file")), "File exists");
    expect_error(disk().make_folder(path("file/a")), "File exists");
}

TEST_P(DiskTest, AFileIsRenamedAndStaysOpen) {
    ASSERT_TRUE(disk().make_folder(path("to")));
    auto file = disk().create(path("a.tmp"));
    ASSERT_TRUE((*file)->write("x"));
    ASSERT_TRUE(disk().rename(path("a.tmp"), path("to/a")));
    ASSERT_TRUE((*file)->write("y"));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(disk().sync_folder(path("to")));
    EXPECT_EQ(content("to/a"), "xy");
    EXPECT_THAT(names(), ElementsAre("to"));
}

TEST_P(DiskTest, AFolderIsRenamedWithWhatIsInIt) {
    ASSERT_TRUE(disk().make_folder(path("batch.tmp/below")));
    write("batch.tmp/below/a", "x");
    ASSERT_TRUE(disk().rename(path("batch.tmp"), path("batch")));
    EXPECT_EQ(content("batch/below/a"), "x");
    EXPECT_THAT(names(), ElementsAre("batch"));
}

TEST_P(DiskTest, NothingIsRenamedOverWhatIsThere) {
    write("a", "a");
    write("b", "b");
    expect_error(disk().rename(path("a"), path("b")), "File exists");
    ASSERT_TRUE(disk().make_folder(path("folder")));
    ASSERT_TRUE(disk().make_folder(path("empty")));
    expect_error(disk().rename(path("folder"), path("empty")), "File exists");
    expect_error(disk().rename(path("none"), path("c")), "No such file");
    expect_error(disk().rename(path("a"), path("none/c")), "No such file");
    expect_error(disk().rename(path("folder"), path("folder/below")), "Invalid argument");
    EXPECT_EQ(content("a"), "a");
    EXPECT_EQ(content("b"), "b");
    EXPECT_THAT(names(), ElementsAre("a", "b", "empty", "folder"));
}

TEST_P(DiskTest, OnlyFoldersAreSyncedAsFolders) {
    ASSERT_TRUE(disk().sync_folder(path("")));
    write("a", "x");
    expect_error(disk().sync_folder(path("a")), "Not a directory");
    expect_error(disk().sync_folder(path("none")), "No such file");
}

TEST_P(DiskTest, WhatIsNotThereIsNothing) {
    EXPECT_EQ(content("none"), "(nothing)");
    EXPECT_EQ(content("none/below"), "(nothing)");
    EXPECT_EQ(*disk().size(path("none")), std::nullopt);
    EXPECT_THAT(names("none"), IsEmpty());
    EXPECT_TRUE(disk().remove(path("none")));
    EXPECT_TRUE(disk().remove(path("none/below")));
}

TEST_P(DiskTest, AFolderIsNotAFile) {
    ASSERT_TRUE(disk().make_folder(path("a")));
    expect_error(disk().read(path("a")), "Is a directory");
    expect_error(disk().size(path("a")), "Is a directory");
    expect_error(disk().replace(path("a"), "x"), "Is a directory");
    expect_error(disk().lock(path("a")), "Is a directory");
    write("file", "x");
    expect_error(disk().list(path("file")), "Not a directory");
    EXPECT_THAT(names(), ElementsAre("a", "file"));
}

TEST_P(DiskTest, SmallFilesAreReadWholeAndLargeOnesNotAtAll) {
    const std::string largest(Disk::kRead_max, 'x');
    write("a", largest);
    EXPECT_EQ(content("a").size(), largest.size());
    auto file = disk().append(path("a"), largest.size());
    ASSERT_TRUE((*file)->write("y"));
    expect_error(disk().read(path("a")), "too large");
}

TEST_P(DiskTest, AFileOfAnySizeIsReadInParts) {
    write("a", std::string{"0123\0"
                           "567",
                           8});
    const auto part = [&](std::uint64_t offset, std::size_t most) {
        const auto read = disk().read_part(path("a"), offset, most);
        return read ? read->value_or("(nothing)") : describe(read.error());
    };
    EXPECT_EQ(part(0, 3), "012");
    EXPECT_EQ(part(3, 3), (std::string{"3\0"
                                       "5",
                                       3}));
    EXPECT_EQ(part(6, 100), "67");
    EXPECT_EQ(part(8, 100), "");
    EXPECT_EQ(part(100, 100), "");
    EXPECT_EQ(*disk().read_part(path("none"), 0, 1), std::nullopt);
    ASSERT_TRUE(disk().make_folder(path("b")));
    expect_error(disk().read_part(path("b"), 0, 1), "Is a directory");
}

TEST_P(DiskTest, AFileIsReplacedWhole) {
    ASSERT_TRUE(disk().replace(path("a"), "first"));
    EXPECT_EQ(content("a"), "first");
    ASSERT_TRUE(disk().replace(path("a"), std::string_view{"b\0", 2}));
    EXPECT_EQ(content("a"), (std::string{"b\0", 2}));
    ASSERT_TRUE(disk().replace(path("a"), ""));
    EXPECT_EQ(content("a"), "");
    EXPECT_THAT(names(), ElementsAre("a"));
    EXPECT_FALSE(disk().replace(path("none/a"), "x"));
}

TEST_P(DiskTest, RemovesFilesAndFoldersWithWhatIsInThem) {
    write("a", "x");
    ASSERT_TRUE(disk().remove(path("a")));
    ASSERT_TRUE(disk().make_folder(path("b/c/d")));
    write("b/c/e", "x");
    write("f", "x");
    ASSERT_TRUE(disk().remove(path("b")));
    EXPECT_THAT(names(), ElementsAre("f"));
}

TEST_P(DiskTest, AFileThatWasRemovedTakesWritesThatGoNowhere) {
    auto file = disk().create(path("a"));
    ASSERT_TRUE(disk().remove(path("a")));
    EXPECT_TRUE((*file)->write("x"));
    EXPECT_TRUE((*file)->sync());
    EXPECT_THAT(names(), IsEmpty());
}

TEST_P(DiskTest, NamesAreSortedByTheirBytes) {
    for (const char* name : {"b", "a", "B", ".hidden", "10", "9", "\xff", "\xc3\xa4", "a b\n"}) {
        write(name, "x");
    }
    EXPECT_THAT(names(),
                ElementsAre(".hidden", "10", "9", "B", "a", "a b\n", "b", "\xc3\xa4", "\xff"));
}

TEST_P(DiskTest, ALockHasOneHolderAndIsFreeWhenItIsDestroyed) {
    auto first = disk().lock(path("lock"));
    ASSERT_TRUE(first);
    ASSERT_TRUE(*first);
    const auto second = disk().lock(path("lock"));
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
    const auto other = disk().lock(path("other"));
    ASSERT_TRUE(other);
    EXPECT_TRUE(*other);
    first->reset();
    const auto third = disk().lock(path("lock"));
    ASSERT_TRUE(third);
    EXPECT_TRUE(*third);
    EXPECT_THAT(names(), ElementsAre("lock", "other"));
    expect_error(disk().lock(path("none/lock")), "No such file");
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskTest, testing::ValuesIn(kPlaces),
                         [](const auto& param) { return std::string{param.param.name}; });

}  // namespace
}  // namespace pgc
