#include "sink/file/contents.h"

#include <gtest/gtest.h>

#include <string>

#include "observe/json_reader.h"

namespace pgc {
namespace {

const CompleteFile kOfOrders{.table = {"public", "orders"},
                             .kind = FileKind::streaming,
                             .batch = "20261130T174500Z",
                             .path = "orders/20261130T174500Z/streaming.csv.gz",
                             .begin_lsn = Lsn{0x10},
                             .end_lsn = Lsn{0x20},
                             .rows = 3,
                             .bytes = 120,
                             .crc32c = 0xABC,
                             .cut = false,
                             .closed_at = {1'000'000}};

// As Redshift's COPY reads it: entries, each with url, mandatory and meta.content_length.
TEST(ManifestTest, HasTheShapeThatCopyTakes) {
    const auto manifest = read_json(manifest_text(
        &kOfOrders, nullptr, {.pipeline = "shop", .url = "s3://warehouse/", .seal = 7}));
    ASSERT_TRUE(manifest);
    ASSERT_EQ(manifest->member("entries").elements().size(), 1U);
    const Json entry = manifest->member("entries").elements()[0];
    EXPECT_EQ(entry.member("url").text(),
              "s3://warehouse/orders/20261130T174500Z/streaming.csv.gz");
    EXPECT_EQ(entry.member("mandatory").boolean(), true);
    EXPECT_EQ(entry.member("meta").member("content_length").count(), 120U);
    EXPECT_EQ(entry.member("meta").member("record_count").count(), 3U);
    EXPECT_EQ(entry.member("meta").member("checksum").text(), "crc32c:00000abc");
    EXPECT_EQ(manifest->member("seal").count(), 7U);
    EXPECT_EQ(manifest->member("pipeline").text(), "shop");
}

TEST(ManifestTest, WithoutAnAddressPathsAreBelowTheRoot) {
    const auto manifest = read_json(manifest_text(&kOfOrders, nullptr, {.pipeline = "shop"}));
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->member("entries").elements()[0].member("url").text(),
              "orders/20261130T174500Z/streaming.csv.gz");
}

}  // namespace
}  // namespace pgc
