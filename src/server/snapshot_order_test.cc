#include "server/snapshot_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

SnapshotRequest good(std::string_view json) {
    auto order = read_order(json);
    EXPECT_TRUE(order) << json << ": " << (order ? "" : describe(order.error()));
    return order.value_or(SnapshotRequest{});
}

// What is wrong with it; every complaint comes with a mend.
std::string wrong(std::string_view json) {
    const auto order = read_order(json);
    if (order) return "taken";
    EXPECT_EQ(order.error().category, Error::Category::configuration);
    EXPECT_FALSE(order.error().mend.empty()) << json;
    return order.error().what;
}

std::string with_tables(std::size_t count) {
    std::string json = R"({"tables":[)";
    for (std::size_t i = 0; i < count; ++i) json += i == 0 ? R"("a.b")" : R"(,"a.b")";
    return json + "]}";
}

std::string with_where(const std::string& where) {
    return order_json({.id = {}, .tables = {"a.b"}, .where = where});
}

TEST(SnapshotOrderTest, ReadsTablesConditionAndId) {
    const auto order = good(R"({"where":"id > 5","tables":["public.orders"],"id":"again.1"})");
    EXPECT_THAT(order.tables, ElementsAre("public.orders"));
    EXPECT_EQ(order.where, "id > 5");
    EXPECT_EQ(order.id, "again.1");
    const auto many = good(R"({"tables":["shop.*","\"My.Schema\".\"T\"","*.a?"]})");
    EXPECT_THAT(many.tables, ElementsAre("shop.*", "\"My.Schema\".\"T\"", "*.a?"));
    EXPECT_EQ(many.where + many.id, "");
}

TEST(SnapshotOrderTest, KeepsTheOrderOfMoreThanTenTables) {
    SnapshotRequest order{.id = {}, .tables = {}};
    for (int i = 0; i < 12; ++i) order.tables.push_back("s.t" + std::to_string(i));
    EXPECT_EQ(good(order_json(order)), order);
}

TEST(SnapshotOrderTest, IsReadAsItWasWritten) {
    const SnapshotRequest order{
        .id = "x", .tables = {"\"a\"\"b\".\"c\\d\""}, .where = "v = 'é\n\"' AND \u20ac"};
    EXPECT_EQ(good(order_json(order)), order);
}

TEST(SnapshotOrderTest, WhatIsNoOrderIsRefused) {
    EXPECT_THAT(wrong(""), HasSubstr("can't be read as JSON"));
    EXPECT_THAT(wrong("{"), HasSubstr("can't be read as JSON"));
    EXPECT_THAT(wrong("[]"), HasSubstr("no table is named"));
    EXPECT_THAT(wrong("5"), HasSubstr("no object"));
    EXPECT_THAT(wrong("{}"), HasSubstr("no table is named"));
    EXPECT_THAT(wrong(R"({"tables":[]})"), HasSubstr("no table is named"));
    EXPECT_THAT(wrong(R"({"tables":"a.b"})"), HasSubstr(R"("tables" is no list)"));
    EXPECT_THAT(wrong(R"({"tables":null})"), HasSubstr(R"("tables" is no list)"));
    EXPECT_THAT(wrong(R"({"tables":[5]})"), HasSubstr("is no text"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"where":5})"), HasSubstr("is no text"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":null})"), HasSubstr("is no text"));
}

TEST(SnapshotOrderTest, WhatItDoesNotKnowIsRefused) {
    for (const auto* more : {R"("wher":"x")", R"("x":{})", R"("x":[])", R"("where":{})",
                             R"("where":{"a":1})", R"("table":["a.b"])"}) {
        const std::string json = R"({"tables":["a.b"],)"s + more + "}";
        EXPECT_NE(wrong(json), "taken") << json;
    }
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"wher":"x"})"), R"("wher" means nothing here)");
    EXPECT_NE(wrong(R"({"tables":{"1":"a.b"}})"), "taken");
}

TEST(SnapshotOrderTest, TablesArePatternsOfTwoParts) {
    for (const auto* table : {"orders", "", ".", "a.", ".b", "a.b.c", "\"a.b", "a\\u0000.b"}) {
        EXPECT_THAT(wrong(R"({"tables":["a.b",")"s + (*table == '"' ? "\\" : "") + table + "\"]}"),
                    HasSubstr("is no table"))
            << table;
    }
    EXPECT_THAT(wrong(order_json({.id = {}, .tables = {"a." + std::string(500, 'b')}})),
                HasSubstr("is no table"));
}

TEST(SnapshotOrderTest, NamesAHundredTablesAtMost) {
    EXPECT_EQ(good(with_tables(100)).tables.size(), 100U);
    EXPECT_EQ(wrong(with_tables(101)), "too many tables are named");
    EXPECT_NE(wrong(with_tables(1000)), "taken");
}

TEST(SnapshotOrderTest, AConditionIsForOneTable) {
    EXPECT_EQ(good(R"({"tables":["\"A*\".t"],"where":"true"})").where, "true");
    for (const auto* tables : {R"("a.b","a.c")", R"("a.*")", R"("?.b")"}) {
        EXPECT_THAT(wrong(R"({"where":"true","tables":[)"s + tables + "]}"),
                    HasSubstr("a condition is for one table"))
            << tables;
    }
}

TEST(SnapshotOrderTest, AConditionIsOneAndNotTooLong) {
    EXPECT_EQ(good(with_where(std::string(10'000, '1'))).where.size(), 10'000U);
    EXPECT_EQ(wrong(with_where(std::string(10'001, '1'))), "the condition is too long");
    EXPECT_EQ(wrong(with_where(" \n")), "the condition is none in SQL");
    EXPECT_EQ(wrong(with_where("a\0b"s)), "the condition is none in SQL");
}

TEST(SnapshotOrderTest, TheIdIsALawfulOneAndNotThatOfEverything) {
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"id":"a/b"})"), "the id is none");
    EXPECT_EQ(wrong(R"({"tables":["a.b"],"id":")" + std::string(65, 'a') + "\"}"),
              "the id is none");
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":"initial"})"), HasSubstr("everything"));
    EXPECT_THAT(wrong(R"({"tables":["a.b"],"id":"Initial"})"), Not(HasSubstr("everything")));
}

}  // namespace
}  // namespace pgc
