#include "cli/files_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "observe/json_reader.h"

namespace pgc {
namespace {

using testing::HasSubstr;

IndexedFile file(std::uint64_t id, const char* table, const char* batch, FileKind kind,
                 bool loaded) {
    return {.id = id,
            .file = {.table = {"public", table},
                     .kind = kind,
                     .batch = batch,
                     .path = std::string{table} + "/" + batch + "/" +
                             std::string{kFileKinds.word(kind)} + ".csv.gz",
                     .begin_lsn = Lsn{id * 100},
                     .end_lsn = Lsn{id * 100 + 50},
                     .rows = 1000,
                     .bytes = 20'000,
                     .closed_at = {static_cast<std::int64_t>(id) * 1'000'000}},
            .registered_at = {},
            .loaded = loaded,
            .loaded_at = {}};
}

FilesList list(FilesListing by) {
    FilesList all{by};
    all.add(file(1, "orders", "20261130T000000Z", FileKind::streaming, true));
    all.add(file(2, "orders", "20261130T000000Z", FileKind::full_reload, false));
    all.add(file(3, "users\n", "20261130T000000Z", FileKind::streaming, true));
    all.add(file(4, "orders", "20261130T000500Z", FileKind::streaming, false));
    return all;
}

TEST(FilesListTest, EachFileIsALine) {
    const std::string text = list(FilesListing::file).as_text();
    EXPECT_EQ(std::ranges::count(text, '\n'), 5);
    EXPECT_THAT(text, HasSubstr("public.orders  full_reload  1,000  20 kB  0/FA"));
    EXPECT_THAT(text, HasSubstr("public.users?")) << "a stranger's text";
    const auto json = read_json(list(FilesListing::file).as_json());
    ASSERT_TRUE(json);
    ASSERT_EQ(json->member("files").elements().size(), 4U);
    const Json first = json->member("files").elements()[0];
    EXPECT_EQ(first.member("end_lsn").text(), "0/96");
    EXPECT_EQ(first.member("checksum").text(), "crc32c:00000000");
    EXPECT_EQ(first.member("loaded").boolean(), true);
    EXPECT_EQ(first.member("rows").count(), 1000U);
}

TEST(FilesListTest, BatchesAreAddedUp) {
    const std::string text = list(FilesListing::batch).as_text();
    EXPECT_THAT(text, HasSubstr("public.orders  20261130T000000Z  2      2,000  40 kB"));
    EXPECT_THAT(text, HasSubstr("1 of 2"));
    const auto json = read_json(list(FilesListing::batch).as_json());
    ASSERT_TRUE(json);
    ASSERT_EQ(json->member("batches").elements().size(), 3U);
    EXPECT_EQ(json->member("batches").elements()[0].member("folder").text(),
              "orders/20261130T000000Z");
    EXPECT_EQ(json->member("batches").elements()[0].member("not_loaded").count(), 1U);
}

TEST(FilesListTest, TablesAreAddedUp) {
    const auto json = read_json(list(FilesListing::table).as_json());
    ASSERT_TRUE(json);
    const auto tables = json->member("tables").elements();
    ASSERT_EQ(tables.size(), 2U);
    EXPECT_EQ(tables[0].member("table").text(), "orders");
    EXPECT_EQ(tables[0].member("batches").count(), 2U);
    EXPECT_EQ(tables[0].member("files").count(), 3U);
    EXPECT_EQ(tables[0].member("oldest_closed_at").text(), "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(tables[0].member("newest_closed_at").text(), "1970-01-01T00:00:04.000Z");
}

TEST(FilesListTest, OfNothingThereIsASentence) {
    EXPECT_EQ(FilesList{FilesListing::file}.as_text(), "No such file is registered.\n");
    EXPECT_EQ(FilesList{FilesListing::table}.as_json(), "{\"tables\":[]}\n");
}

TEST(FilesListTest, OldBatchesAreShownWithWhatTheyHold) {
    const std::vector<OldBatch> batches{{.table = {"public", "t"},
                                         .batch = "b",
                                         .folder = "t/b",
                                         .paths = {"t/b/x", "t/b/y"},
                                         .rows = 5,
                                         .bytes = 7,
                                         .closed_at = {},
                                         .loaded = true}};
    EXPECT_THAT(batches_text(batches), HasSubstr("public.t  b      2      5     7 B"));
    const auto json = read_json(batches_json(batches));
    ASSERT_TRUE(json);
    EXPECT_EQ(json->elements()[0].member("files").count(), 2U);
}

}  // namespace
}  // namespace pgc
