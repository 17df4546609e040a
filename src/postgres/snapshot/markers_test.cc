#include "postgres/snapshot/markers.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

std::optional<ExportMarker> marker(std::string_view prefix, std::string_view content) {
    const auto found = marker_of_message(prefix, content);
    EXPECT_TRUE(found) << found.error();
    return found ? *found : std::nullopt;
}

std::string comment(std::string_view text) {
    return R"({"command":"COMMENT","object_type":"table","schema":"public","name":"orders",)"
           R"("comment":")" +
           std::string{text} + R"(","statement":"COMMENT ON TABLE orders IS …"})";
}

TEST(ExportMarkerTest, TheFirstWordOfATablesCommentIsOne) {
    const ExportMarker start{.starts = true, .schema = "public", .table = "orders"};
    const ExportMarker end{.starts = false, .schema = "public", .table = "orders"};
    EXPECT_EQ(marker(kDdlPrefix, comment("EXPORT_START")), start);
    EXPECT_EQ(marker(kDdlPrefix, comment(" EXPORT_START for the warehouse")), start);
    EXPECT_EQ(marker(kDdlPrefix, comment("EXPORT_END\\nof it")), end);
}

TEST(ExportMarkerTest, OtherCommentsOtherStatementsAndOtherMessagesAreNone) {
    EXPECT_EQ(marker(kDdlPrefix, comment("see EXPORT_START")), std::nullopt);
    EXPECT_EQ(marker(kDdlPrefix, comment("EXPORT_STARTS")), std::nullopt);
    EXPECT_EQ(marker(kDdlPrefix, comment("")), std::nullopt);
    EXPECT_EQ(marker(kDdlPrefix, "EXPORT_START, and no JSON"), std::nullopt);
    EXPECT_EQ(marker(kDdlPrefix, R"({"command":"ALTER TABLE","object_type":"table",)"
                                 R"("schema":"a","name":"b","comment":"EXPORT_START"})"),
              std::nullopt);
    EXPECT_EQ(marker(kDdlPrefix, R"({"command":"COMMENT","object_type":"table column",)"
                                 R"("schema":"a","name":"b","comment":"EXPORT_START"})"),
              std::nullopt);
    EXPECT_EQ(marker("somebody's", comment("EXPORT_START")), std::nullopt);
}

TEST(ExportMarkerTest, AMessageOfItsOwnIsOneToo) {
    EXPECT_EQ(marker(kMarkerPrefix, R"({"marker":"EXPORT_START","schema":"s","name":"t"})"),
              (ExportMarker{.starts = true, .schema = "s", .table = "t"}));
    EXPECT_EQ(marker(kMarkerPrefix, R"({"marker":"EXPORT_END","schema":"s","name":"t"})"),
              (ExportMarker{.starts = false, .schema = "s", .table = "t"}));
}

TEST(ExportMarkerTest, WhatCantBeUnderstoodIsSaid) {
    for (const std::string_view content :
         {"EXPORT_START", "[]", R"({"marker":"EXPORT","schema":"s","name":"t"})",
          R"({"marker":"EXPORT_START","schema":"s"})",
          R"({"marker":"EXPORT_START","schema":"","name":"t"})",
          R"({"marker":"EXPORT_START","schema":1,"name":"t"})"}) {
        EXPECT_FALSE(marker_of_message(kMarkerPrefix, content)) << content;
    }
}

// It comes again when the log is read again.
TEST(ExportMarkerTest, AStartIsOneRequestAndAnEndCallsOffThoseOfItsTable) {
    const ExportMarker start{.starts = true, .schema = "public", .table = "a\"b"};
    const SnapshotCommand order = command_of_marker(start, Lsn{0x1'0000'00AB}, Lsn{0x1'0000'0100});
    EXPECT_EQ(order.verb, SnapshotCommand::Verb::start);
    EXPECT_EQ(order.request.id, "reload-1-AB");
    EXPECT_TRUE(is_snapshot_id(order.request.id));
    EXPECT_EQ(order.request.tables, std::vector<std::string>{R"("public"."a""b")"});
    EXPECT_EQ(order.request.reload, (ReloadOrder{.by = "EXPORT_START", .at = Lsn{0x1'0000'0100}}));
    const ExportMarker end{.starts = false, .schema = "public", .table = "a\"b"};
    const SnapshotCommand off = command_of_marker(end, Lsn{1}, Lsn{2});
    EXPECT_EQ(off.verb, SnapshotCommand::Verb::cancel);
    EXPECT_TRUE(off.request.id.empty());
    EXPECT_EQ(off.request.tables, order.request.tables);
}

}  // namespace
}  // namespace pgc
