#include "server/snapshot_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

SnapshotRequest good(std::string_view json) {
    auto request = read_snapshot_request(json);
    EXPECT_TRUE(request) << json << ": " << (request ? "" : describe(request.error()));
    return request.value_or(SnapshotRequest{});
}

// What is wrong with it; every complaint comes with a hint.
std::string wrong(std::string_view json) {
    const auto request = read_snapshot_request(json);
    if (request) return "taken";
    EXPECT_EQ(request.error().category, Error::Category::configuration);
    EXPECT_FALSE(request.error().hint.empty()) << json;
    return request.error().what;
}

std::string with_tables(std::size_t count) {
    std::string json = R"({"tables":[)";
    for (std::size_t i = 0; i < count; ++i) json += i == 0 ? R"("a.b")" : R"(,"a.b")";
    return json + "]}";
}

std::string with_where(const std::string& where) {
    return snapshot_request_json({.id = {}, .tables = {"a.b"}, .where = where});
}

TEST(SnapshotRequestTest, ReadsTablesConditionAndId) {
    const auto request = good(R"({"where":"id > 5","tables":["public.orders"],"id":"again.1"})");
    EXPECT_THAT(request.tables, ElementsAre("public.orders"));
    EXPECT_EQ(request.where, "id > 5");
    EXPECT_EQ(request.id, "again.1");
    const auto many = good(R"({"tables":["shop.*","\"My.Schema\".\"T\"","*.a?"]})");
    EXPECT_THAT(many.tables, ElementsAre("shop.*", "\"My.Schema\".\"T\"", "*.a?"));
    EXPECT_EQ(many.where + many.id, "");
}

TEST(SnapshotRequestTest, AReloadIsOneOfAllRows) {
    const auto request = good(R"({"tables":["public.orders"],"reload":true})");
    EXPECT_EQ(request.reload, (ReloadOrder{.by = "request"}));
    EXPECT_EQ(good(snapshot_request_json(request)), request);
    EXPECT_FALSE(good(R"({"tables":["public.orders"],"reload":false})").reload);
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"reload":true,"where":"id > 5"})"),
              "a reload is one of all rows");
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"reload":"yes"})"), "\"reload\" is not true or false");
}

TEST(SnapshotRequestTest, KeepsTheOrderOfMoreThanTenTables) {
    SnapshotRequest request{.id = {}, .tables = {}};
    for (int i = 0; i < 12; ++i) request.tables.push_back("s.t" + std::to_string(i));
    EXPECT_EQ(good(snapshot_request_json(request)), request);
}

TEST(SnapshotRequestTest, IsReadAsItWasWritten) {
    const SnapshotRequest request{
        .id = "x", .tables = {"\"a\"\"b\".\"c\\d\""}, .where = "v = 'é\n\"' AND \u20ac"};
    EXPECT_EQ(good(snapshot_request_json(request)), request);
}

TEST(SnapshotRequestTest, WhatIsNotARequestIsRefused) {
    EXPECT_THAT(wrong(""), HasSubstr("can't be read as JSON"));
    EXPECT_THAT(wrong("{"), HasSubstr("can't be read as JSON"));
    EXPECT_THAT(wrong("[]"), HasSubstr("not an object"));
    EXPECT_THAT(wrong("5"), HasSubstr("not an object"));
    EXPECT_THAT(wrong("{}"), HasSubstr("no table is named"));
    EXPECT_THAT(wrong(R"({"tables":[]})"), HasSubstr("no table is named"));
    EXPECT_THAT(wrong(R"({"tables":"a.b"})"), HasSubstr(R"("tables" is not a list)"));
    EXPECT_THAT(wrong(R"({"tables":null})"), HasSubstr(R"("tables" is not a list)"));
    EXPECT_THAT(wrong(R"({"tables":[5]})"), HasSubstr("is not a string"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"where":5})"), HasSubstr("is not a string"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":null})"), HasSubstr("is not a string"));
}

TEST(SnapshotRequestTest, WhatItDoesNotKnowIsRefused) {
    for (const auto* more : {R"("wher":"x")", R"("x":{})", R"("x":[])", R"("where":{})",
                             R"("where":{"a":1})", R"("table":["a.b"])"}) {
        const std::string json = R"({"tables":["a.b"],)"s + more + "}";
        EXPECT_NE(wrong(json), "taken") << json;
    }
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"wher":"x"})"), R"("wher" is not a known member)");
    EXPECT_NE(wrong(R"({"tables":{"1":"a.b"}})"), "taken");
}

TEST(SnapshotRequestTest, TablesArePatternsOfTwoParts) {
    for (const auto* table : {"orders", "", ".", "a.", ".b", "a.b.c", "\"a.b", "a\\u0000.b"}) {
        EXPECT_THAT(wrong(R"({"tables":["a.b",")"s + (*table == '"' ? "\\" : "") + table + "\"]}"),
                    HasSubstr("is not a table"))
            << table;
    }
    EXPECT_THAT(wrong(snapshot_request_json({.id = {}, .tables = {"a." + std::string(500, 'b')}})),
                HasSubstr("is not a table"));
}

TEST(SnapshotRequestTest, NamesAHundredTablesAtMost) {
    EXPECT_EQ(good(with_tables(100)).tables.size(), 100U);
    EXPECT_EQ(wrong(with_tables(101)), "too many tables are named");
    EXPECT_NE(wrong(with_tables(1000)), "taken");
}

TEST(SnapshotRequestTest, AConditionIsForOneTable) {
    EXPECT_EQ(good(R"({"tables":["\"A*\".t"],"where":"true"})").where, "true");
    for (const auto* tables : {R"("a.b","a.c")", R"("a.*")", R"("?.b")"}) {
        EXPECT_THAT(wrong(R"({"where":"true","tables":[)"s + tables + "]}"),
                    HasSubstr("a condition is for one table"))
            << tables;
    }
}

TEST(SnapshotRequestTest, AConditionIsOneAndNotTooLong) {
    EXPECT_EQ(good(with_where(std::string(10'000, '1'))).where.size(), 10'000U);
    EXPECT_EQ(wrong(with_where(std::string(10'001, '1'))), "the condition is too long");
    EXPECT_EQ(wrong(with_where(" \n")), "the condition is not SQL");
    EXPECT_EQ(wrong(with_where("a\0b"s)), "the condition is not SQL");
}

TEST(SnapshotRequestTest, TheIdIsALawfulOneAndNotThatOfEverything) {
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"id":"a/b"})"), "the id is not valid");
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"id":")" + std::string(65, 'a') + "\"}"),
              "the id is not valid");
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":"initial"})"), HasSubstr("everything"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":"Initial"})"), Not(HasSubstr("everything")));
}

}  // namespace
}  // namespace pgc
