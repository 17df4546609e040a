#include "cli/progress_bars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/table.h"

namespace pgc {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using State = SnapshotReport::State;

SnapshotReport::Request being_read() {
    return {.id = "s-1",
            .state = State::reading,
            .tables = 20,
            .tables_done = 12,
            .rows = 6'200'000,
            .rows_expected = 10'100'100,
            .rows_per_second = 250'000,
            .open = {{.name = "public.orders", .rows = 4'100'000, .rows_expected = 10'000'000},
                     {.name = "shop.items", .rows = 17, .rows_expected = 100}}};
}

TEST(ProgressBarsTest, OneForEachTableAndOneForTheWhole) {
    EXPECT_THAT(
        progress_bars(being_read(), 79),
        ElementsAre(
            "public.orders  [########............]  41 %  4,100,000 of about 10,000,000 rows",
            "shop.items     [###.................]  17 %  17 of about 100 rows",
            "all tables     [############........]  61 %  6,200,000 of about 10,100,100 rows",
            "12 of 20 tables, 250,000 rows/s, about 16 s left"));
}

TEST(ProgressBarsTest, AreOnlySoLongHoweverWideTheWindow) {
    EXPECT_THAT(progress_bars(being_read(), 500).front(),
                HasSubstr("[" + std::string(16, '#') + std::string(24, '.') + "]  41 %"));
}

TEST(ProgressBarsTest, GiveWayInANarrowWindow) {
    EXPECT_THAT(progress_bars(being_read(), 60).front(),
                HasSubstr("public.orders  41 %  4,100,000 of about 10,000,000 rows"));
    EXPECT_THAT(progress_bars(being_read(), 43).front(),
                "public.orders  [########............]  41 %");
    EXPECT_EQ(progress_bars(being_read(), 20).front(), "publi~  41 %");
}

TEST(ProgressBarsTest, AreNeverWiderThanTheWindow) {
    SnapshotReport::Request wide = being_read();
    wide.open.push_back({.name = std::string(300, 'n') + "\u20ac",
                         .rows = UINT64_MAX,
                         .rows_expected = UINT64_MAX});
    wide.reason = std::string(300, 'r');
    for (std::size_t width = 0; width < 200; ++width) {
        for (const std::string& line : progress_bars(wide, width)) {
            EXPECT_LE(width_of(line), width) << line;
        }
    }
}

TEST(ProgressBarsTest, NamesAreCutByCharacters) {
    SnapshotReport::Request snapshot = being_read();
    snapshot.open = {{.name = "\u00e9\u00e9\u00e9\u00e9.\u00e9\u00e9\u00e9\u00e9",
                      .rows = 1,
                      .rows_expected = 2}};
    EXPECT_THAT(progress_bars(snapshot, 21).front(), "\u00e9\u00e9\u00e9\u00e9.\u00e9~  50 %");
}

TEST(ProgressBarsTest, WhatIsNotKnownIsNotDrawn) {
    const auto lines = progress_bars({.id = "s", .state = State::reading}, 60);
    EXPECT_THAT(
        lines, ElementsAre("all tables  [" + std::string(32, '.') + "]     ?  0 rows", "0 rows/s"));
}

TEST(ProgressBarsTest, SayWhyNothingMoves) {
    SnapshotReport::Request snapshot = being_read();
    snapshot.state = State::waiting;
    snapshot.reason = "waits for a reader\033[2J";
    EXPECT_EQ(progress_bars(snapshot, 80).back(),
              "waiting, waits for a reader?[2J, 12 of 20 tables");
    snapshot.state = State::paused;
    snapshot.reason.clear();
    EXPECT_EQ(progress_bars(snapshot, 80).back(), "paused, 12 of 20 tables");
}

TEST(ProgressBarsTest, ManyTablesAreCounted) {
    SnapshotReport::Request snapshot = being_read();
    snapshot.open.resize(50, snapshot.open.front());
    const auto lines = progress_bars(snapshot, 100);
    EXPECT_EQ(lines.size(), 18U);
    EXPECT_THAT(lines.back(), HasSubstr(", 34 more being read, "));
}

TEST(ProgressBarsTest, AStrangersNameCanDoNothingToATerminal) {
    SnapshotReport::Request snapshot = being_read();
    snapshot.open.front().name = "a\033[2J.b\n";
    EXPECT_THAT(progress_bars(snapshot, 80), Each(Not(HasSubstr("\033"))));
}

TEST(ProgressBarsTest, AreDrawnOverTheLastOnes) {
    EXPECT_EQ(drawn_over(0, {"a", "b"}), "\r\033[Ka\n\r\033[Kb\n\033[J");
    EXPECT_EQ(drawn_over(2, {"c"}), "\033[2A\r\033[Kc\n\033[J");
    EXPECT_THAT(drawn_over(1, {}), EndsWith("\033[1A\033[J"));
}

}  // namespace
}  // namespace pgc
