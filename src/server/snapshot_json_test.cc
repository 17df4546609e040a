#include "server/snapshot_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = SnapshotReport::State;

SnapshotReport::Request reading() {
    return {.id = "initial",
            .state = State::reading,
            .tables = 20,
            .tables_done = 12,
            .rows = 1'234'567,
            .rows_expected = 2'000'000,
            .rows_per_second = 250'000,
            .began = {1'795'229'825'123'000},
            .open = {{.name = "public.\"o\"", .rows = 5, .rows_expected = 10},
                     {.name = "shop.items", .rows = 1, .rows_expected = 2}}};
}

SnapshotReport::Request failed() {
    return {.id = "s-1",
            .state = State::failed,
            .reason = "no such \"table\"",
            .began = {1'795'229'825'123'000},
            .ended = {1'795'229'826'123'000}};
}

TEST(SnapshotJsonTest, TellsHowFarItIsAndOfWhichTables) {
    EXPECT_EQ(snapshot_json(reading()),
              R"({"id":"initial","state":"reading","reason":null,"tables":20,"tables_done":12,)"
              R"("rows":1234567,"rows_expected":2000000,"rows_per_second":250000,)"
              R"("began":"2026-11-21T02:57:05.123Z","ended":null,"open":[)"
              R"({"table":"public.\"o\"","rows":5,"rows_expected":10},)"
              R"({"table":"shop.items","rows":1,"rows_expected":2}]})"
              "\n");
}

TEST(SnapshotJsonTest, ListsThemInOneObject) {
    EXPECT_EQ(snapshots_json({}), "{\"snapshots\":[]}\n");
    EXPECT_THAT(snapshots_json({.requests = {reading(), failed()}}),
                HasSubstr(R"(]},{"id":"s-1","state":"failed","reason":"no such \"table\"",)"));
}

TEST(SnapshotJsonTest, IsReadAsItWasWritten) {
    const SnapshotReport report{.requests = {reading(), failed()}};
    for (const SnapshotReport& one : {report, SnapshotReport{}}) {
        const auto read = read_snapshots(snapshots_json(one));
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(snapshots_json(*read), snapshots_json(one));
    }
    for (const State state : {State::waiting, State::reading, State::paused, State::done,
                              State::cancelled, State::failed}) {
        auto one = reading();
        one.state = state;
        const auto read = read_snapshot(snapshot_json(one));
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(snapshot_json(*read), snapshot_json(one));
    }
}

TEST(SnapshotJsonTest, MoreThanTenAreReadInTheirOrder) {
    SnapshotReport report;
    for (int i = 0; i < 25; ++i) {
        report.requests.push_back(reading());
        report.requests.back().id = std::to_string(i);
    }
    const auto read = read_snapshots(snapshots_json(report));
    ASSERT_TRUE(read);
    EXPECT_EQ(snapshots_json(*read), snapshots_json(report));
}

TEST(SnapshotJsonTest, AnotherVersionTellsLess) {
    const auto read = read_snapshot(R"({"id":"a","state":"done","rows":-1,"began":"x","new":[1]})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->rows, 0U);
    EXPECT_EQ(read->began, WallTime{});
    EXPECT_THAT(read->open, IsEmpty());
}

TEST(SnapshotJsonTest, WhatIsNoSuchAnswerIsRefused) {
    for (const std::string_view text :
         {"", "ok", "[]", "{}", R"({"id":"a"})", R"({"state":"done"})",
          R"({"id":"a","state":"dancing"})", R"({"snapshots":[{"id":"a"}]})"}) {
        const auto one = read_snapshot(text);
        ASSERT_FALSE(one) << text;
        EXPECT_EQ(one.error().category, Error::Category::protocol);
        EXPECT_FALSE(read_snapshots(text)) << text;
    }
}

}  // namespace
}  // namespace pgc
