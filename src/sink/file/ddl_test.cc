#include "sink/file/ddl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/own_messages.h"
#include "sink/file/contents.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::Not;

OwnMessage message(std::string_view content) {
    return {.commit_lsn = Lsn{0x10},
            .ordinal = 3,
            .committed_at = {1'800'000'000'000'000},
            .transactional = true,
            .prefix = kDdlMessages,
            .content = content};
}

DdlStatement statement(std::string text) {
    return {.commit_lsn = Lsn{0x10},
            .ordinal = 3,
            .committed_at = {1'800'000'000'000'000},
            .command = "ALTER TABLE",
            .object_type = "table",
            .object = {"public", "t"},
            .statement = std::move(text)};
}

TEST(DdlTest, AMessageOfTheEventTriggerIsRead) {
    const auto read = read_ddl_message(
        message(R"({"command":"ALTER TABLE","object_type":"table","schema":"public","name":"t",)"
                R"("statement":"ALTER TABLE t ADD x int"})"));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, statement("ALTER TABLE t ADD x int"));
    EXPECT_TRUE(read->concerns_a_table());
    const DdlEvent event = ddl_event(*read);
    EXPECT_EQ(event.command, "ALTER TABLE");
    EXPECT_EQ(event.statement, "ALTER TABLE t ADD x int");
    EXPECT_EQ(event.commit_lsn, Lsn{0x10});
}

TEST(DdlTest, WhatIsNotRecordedIsNone) {
    const auto read = read_ddl_message(message(
        R"({"command":"CREATE TYPE","object_type":"type","schema":"public","name":"mood"})"));
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->statement);
    EXPECT_FALSE(read->concerns_a_table());
    EXPECT_THAT(ddl_text({*read}), HasSubstr("not recorded"));
}

// Anybody may emit one.
TEST(DdlTest, AStrangeMessageIsNotRead) {
    const std::string long_name(600, 'x');
    for (
        const std::string& content :
        {std::string{}, std::string{"x"}, std::string{"[]"}, std::string{R"({"command":"A"})"},
         std::string{R"({"command":"","object_type":"table","schema":"s","name":"t"})"},
         std::string{R"({"command":7,"object_type":"table","schema":"s","name":"t"})"},
         std::string{R"({"command":"A","object_type":"table","schema":"s","name":"t\u0000"})"},
         std::string{
             R"({"command":"A","object_type":"table","schema":"s","name":"t","statement":"\u0000"})"},
         R"({"command":"A","object_type":"table","schema":"s","name":")" + long_name + "\"}"}) {
        EXPECT_FALSE(read_ddl_message(message(content))) << content;
    }
    OwnMessage lone = message(R"({"command":"A","object_type":"table","schema":"s","name":"t"})");
    EXPECT_TRUE(read_ddl_message(lone));
    lone.transactional = false;
    EXPECT_FALSE(read_ddl_message(lone)) << "DDL is part of a transaction";
}

TEST(DdlTest, NothingInANameLeavesTheComment) {
    DdlStatement hostile = statement("SELECT 1");
    hostile.object = {"a\nDROP TABLE x;", "b\r\n--"};
    const std::string text = ddl_text({hostile});
    EXPECT_THAT(text, Not(HasSubstr("\nDROP")));
    EXPECT_THAT(text, HasSubstr("\nSELECT 1\n;\n"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 4);
}

TEST(DdlTest, AStatementThatWasCutIsAComment) {
    DdlStatement cut = statement("CREATE TABLE t (a int,\r\nb int,\nc");
    cut.cut = true;
    const std::string text = ddl_text({cut});
    EXPECT_THAT(text, HasSubstr("begins with"));
    std::size_t from = 0;
    for (std::size_t to = 0; (to = text.find('\n', from)) != std::string::npos; from = to + 1) {
        EXPECT_TRUE(to == from || text.substr(from, 2) == "--") << text;
    }
}

TEST(DdlTest, OneStatementThatDidSeveralThingsStandsThereOnce) {
    DdlStatement second = statement("ALTER TABLE t ADD x int; ALTER TABLE t ADD y int");
    second.ordinal = 4;
    const std::string text = ddl_text({statement(*second.statement), second});
    EXPECT_EQ(text.find(*second.statement), text.rfind(*second.statement));
    EXPECT_THAT(text, HasSubstr("\"seq\":4"));
}

TEST(DdlTest, ItOutlivesACrashAmongTheDetailsOfAFile) {
    FileDetails details{.name = "streaming.csv", .heading = "a", .schemas = {}};
    details.ddl = {statement("ALTER TABLE t\nADD \"x\" int"), statement("")};
    details.ddl[1].statement.reset();
    details.ddl[1].cut = true;
    const auto read = read_details(write_details(details));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->ddl, details.ddl);
}

TEST(DdlTest, TheManifestHasItBesideWhatLoadersCopy) {
    const CompleteFile rows{.table = {"public", "t"}, .batch = "b", .path = "t/b/streaming.csv.gz"};
    CompleteFile ddl = rows;
    ddl.kind = FileKind::ddl;
    ddl.path = "t/b/ddl.sql";
    const auto both = read_json(manifest_text(&rows, &ddl, {.pipeline = "p"}));
    ASSERT_TRUE(both);
    EXPECT_EQ(both->member("has_ddl").boolean(), true);
    ASSERT_EQ(both->member("entries").elements().size(), 1U);
    EXPECT_EQ(both->member("entries").elements()[0].member("url").text(), rows.path);
    EXPECT_EQ(both->member("ddl").member("url").text(), ddl.path);
    const auto alone = read_json(manifest_text(nullptr, &ddl, {.pipeline = "p"}));
    ASSERT_TRUE(alone);
    EXPECT_TRUE(alone->member("entries").is_list() && alone->member("entries").elements().empty());
    EXPECT_EQ(alone->member("type").text(), "ddl");
    const auto neither = read_json(manifest_text(&rows, nullptr, {.pipeline = "p"}));
    ASSERT_TRUE(neither);
    EXPECT_EQ(neither->member("has_ddl").boolean(), false);
    EXPECT_FALSE(neither->member("ddl").exists());
}

}  // namespace
}  // namespace pgc
