#include "postgres/snapshot/table_reading.h"

#include <gtest/gtest.h>

#include <memory>

namespace pgc {
namespace {

using State = TableReading::State;

constexpr std::uint64_t large = std::uint64_t{100} << 20;

SnapshotTable table(std::uint64_t bytes = 1000, std::string filter = "") {
    return {.address = {Oid{7}, "s", "t"},
            .shown = {Oid{7}, "s", "t"},
            .bytes = bytes,
            .filter = std::move(filter)};
}

TableShape keyed() {
    TableShape shape;
    shape.key = {{.name = "id", .type = "bigint"}};
    shape.ordered_by = {"id:20"};
    shape.pages = 12'800;
    return shape;
}

TableShape keyless() {
    TableShape shape;
    shape.pages = 1000;
    return shape;
}

TEST(TableReadingTest, ATableOfTwoPublicationsIsReadAsTheStreamShowsIt) {
    SnapshotTable one = table(1000, "a > 1");
    merge(one, table(1000, "b > 2"));
    EXPECT_EQ(one.filter, "(a > 1) OR (b > 2)");
    merge(one, table());
    EXPECT_EQ(one.filter, "");
    SnapshotTable as_root = table();
    as_root.shown = {Oid{3}, "s", "root"};
    merge(one, as_root);
    EXPECT_EQ(one.shown.oid, Oid{3});
    merge(one, table());
    EXPECT_EQ(one.shown.oid, Oid{3});
}

TEST(TableReadingTest, ASmallTableIsOnePart) {
    TableReading reading{table(), "", std::nullopt};
    EXPECT_EQ(reading.parts_wanted(keyed(), 4), 1U);
    reading.open(keyed(), {}, 1);
    const auto chunk = reading.take(10);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->condition, "");
    EXPECT_EQ(chunk->limit, 10U);
    EXPECT_FALSE(reading.has_chunk()) << "it is being read";
}

TEST(TableReadingTest, ALargeOneIsCutForSeveralReaders) {
    TableReading reading{table(large), "", std::nullopt};
    EXPECT_EQ(reading.parts_wanted(keyed(), 1), 1U);
    EXPECT_EQ(reading.parts_wanted(keyed(), 2), 12U);
    reading.open(keyed(), {{"5"}, {"9"}}, 3);
    EXPECT_EQ(reading.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.<=) '5'::bigint\n)");
    EXPECT_EQ(reading.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.>) '5'::bigint AND \"id\" OPERATOR(pg_catalog.<=) "
              "'9'::bigint\n)");
    EXPECT_EQ(reading.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '9'::bigint\n)");
    EXPECT_FALSE(reading.take(10));
}

TEST(TableReadingTest, EachChunkBeginsBehindWhatWasRead) {
    TableReading reading{table(), "", std::nullopt};
    reading.open(keyed(), {}, 1);
    ASSERT_TRUE(reading.take(10));
    reading.read_up_to(0, {"42"});
    reading.end_chunk(0, false);
    EXPECT_EQ(reading.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '42'::bigint\n)");
    reading.end_chunk(0, true);
    EXPECT_EQ(reading.state(), State::read);
}

TEST(TableReadingTest, WhatIsNotDurableIsLeft) {
    TableReading reading{table(), "", std::nullopt};
    EXPECT_EQ(reading.left(), std::nullopt) << "nobody has opened it";
    reading.open(keyed(), {{"50"}}, 2);
    ASSERT_TRUE(reading.take(10));
    reading.read_up_to(0, {"42"});
    EXPECT_EQ(reading.left()->left[0], (KeyRange{{}, {"50"}}));
    reading.durable_up_to(0, {"41"});
    EXPECT_EQ(reading.left()->left[0], (KeyRange{{"41"}, {"50"}}));
    reading.end_chunk(0, true);
    reading.durable_whole(0);
    ASSERT_EQ(reading.left()->left.size(), 1U);
    EXPECT_EQ(reading.left()->left[0], (KeyRange{{"50"}, {}}));
    EXPECT_EQ(reading.left()->key, Key{"id:20"});
}

TEST(TableReadingTest, ItIsDurableWhenAllItsPartsAre) {
    TableReading reading{table(), "", std::nullopt};
    reading.open(keyed(), {{"50"}}, 2);
    for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        ASSERT_TRUE(reading.take(10));
        reading.end_chunk(part, true);
        EXPECT_FALSE(reading.all_durable());
        reading.durable_whole(part);
    }
    EXPECT_TRUE(reading.all_durable());
}

TEST(TableReadingTest, WhatIsLeftIsGoneOnWith) {
    const OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    TableReading reading{table(large), "", open};
    EXPECT_EQ(reading.left(), open);
    EXPECT_EQ(reading.parts_wanted(keyed(), 4), 1U) << "it is cut already";
    reading.open(keyed(), {}, 1);
    EXPECT_EQ(reading.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.>) '41'::bigint AND \"id\" OPERATOR(pg_catalog.<=) "
              "'50'::bigint\n)");
    EXPECT_FALSE(reading.take(10));
}

TEST(TableReadingTest, ARowThatMovedIsReadOnceMore) {
    TableReading reading{table(), "", std::nullopt};
    reading.open(keyed(), {}, 1);
    ASSERT_TRUE(reading.take(10));
    reading.read_up_to(0, {"42"});
    reading.durable_up_to(0, {"42"});
    reading.end_chunk(0, false);
    reading.read_again(Key{"7"});
    const auto left = reading.left();
    ASSERT_EQ(left->left.size(), 2U);
    EXPECT_EQ(left->left[1], (KeyRange{.after = {}, .upto = {"7"}, .alone = true}));
    TableReading later{table(), "", left};
    later.open(keyed(), {}, 1);
    ASSERT_TRUE(later.take(10));
    const auto chunk = later.take(10);
    EXPECT_EQ(chunk->condition, "(\"id\" OPERATOR(pg_catalog.=) '7'::bigint\n)");
    EXPECT_EQ(chunk->limit, 0U) << "it is whole whatever comes";
}

TEST(TableReadingTest, RowsThatMovedAreReadManyAtOnce) {
    OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    for (int i = 0; i < 250; ++i) {
        open.left.push_back({.after = {}, .upto = {std::to_string(i)}, .alone = true});
    }
    TableReading reading{table(), "", open};
    reading.open(keyed(), {}, 1);
    ASSERT_TRUE(reading.take(2));
    const auto few = reading.take(2);
    EXPECT_EQ(few->condition,
              "(\"id\" OPERATOR(pg_catalog.=) '0'::bigint\n"
              " OR \"id\" OPERATOR(pg_catalog.=) '1'::bigint\n)");
    reading.end_chunk(few->part, false);
    std::vector<std::size_t> parts;
    for (int i = 0; i < 3; ++i) {
        const auto chunk = reading.take(1000);
        ASSERT_TRUE(chunk);
        EXPECT_EQ(chunk->limit, 0U);
        reading.end_chunk(chunk->part, true);
        EXPECT_TRUE(reading.part_read(chunk->part));
        parts.push_back(chunk->part);
    }
    EXPECT_FALSE(reading.take(1000)) << "100, 100 and 50";
    EXPECT_EQ(reading.left()->left.size(), 251U) << "nothing of it is durable";
    reading.durable_whole(parts[1]);
    EXPECT_EQ(reading.left()->left.size(), 151U);
    reading.durable_whole(parts[0]);
    reading.durable_whole(parts[2]);
    EXPECT_EQ(reading.left()->left.size(), 1U);
}

TEST(TableReadingTest, ARowThatMovedBeforeTheTableIsOpenedIsKept) {
    OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    TableReading reading{table(), "", open};
    reading.read_again(Key{"7"});
    open.left.push_back({.after = {}, .upto = {"7"}, .alone = true});
    EXPECT_EQ(reading.left(), open);
    reading.read_again(std::nullopt);
    EXPECT_EQ(reading.left()->left, (std::vector<KeyRange>{{}})) << "a key without a text";
    TableReading fresh{table(), "", std::nullopt};
    fresh.read_again(Key{"7"});
    EXPECT_EQ(fresh.left(), std::nullopt) << "all of it is left";
}

TEST(TableReadingTest, WhereAKeyHasNoTextTheTableIsReadAnew) {
    TableReading reading{table(), "", std::nullopt};
    reading.open(keyed(), {}, 1);
    reading.durable_up_to(0, {"42"});
    reading.read_again(std::nullopt);
    EXPECT_EQ(reading.left()->left, (std::vector<KeyRange>{{}}));
}

TEST(TableReadingTest, RangesOfAnotherKeyAreWorthNothing) {
    TableReading reading{table(), "",
                         OpenTable{.shown = Oid{7}, .key = {"id:23"}, .left = {{{"41"}, {"50"}}}}};
    reading.open(keyed(), {}, 1);
    EXPECT_EQ(reading.take(10)->condition, "");
}

// A primary key that was made anew, perhaps of other columns or values under the old names.
TEST(TableReadingTest, RangesOfAKeyThatIsOnlyCalledTheSameAreWorthNothing) {
    const auto word = [](std::string version) {
        return ordering_word({.column = "id", .type = Oid{20}, .version = std::move(version)});
    };
    TableShape shape = keyed();
    shape.ordered_by = {word("16390.742")};
    const OpenTable open{.shown = Oid{7}, .key = {word("16390.742")}, .left = {{{"41"}, {}}}};
    TableReading same{table(), "", open};
    same.open(shape, {}, 1);
    EXPECT_EQ(same.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '41'::bigint\n)");
    for (const char* now : {"16390.743", "16400.742"}) {
        shape.ordered_by = {word(now)};
        TableReading other{table(), "", open};
        other.open(shape, {}, 1);
        EXPECT_EQ(other.take(10)->condition, "") << now;
    }
}

TEST(TableReadingTest, ATableWithoutAKeyIsReadByPagesAndLeavesNothingBehind) {
    TableReading reading{table(large), "", std::nullopt};
    EXPECT_EQ(reading.parts_wanted(keyless(), 2), 12U);
    reading.open(keyless(), {}, 2);
    EXPECT_EQ(reading.take(10)->condition, "(ctid >= '(0,0)' AND ctid < '(501,0)'\n)");
    const auto last = reading.take(10);
    EXPECT_EQ(last->condition, "(ctid >= '(501,0)'\n)");
    EXPECT_EQ(last->limit, 0U);
    EXPECT_FALSE(reading.torn(1));
    reading.read_up_to(1, {});
    EXPECT_TRUE(reading.torn(1));
    EXPECT_EQ(reading.left(), std::nullopt);
}

TEST(TableReadingTest, ConditionsAreAllMet) {
    TableReading reading{table(1000, "(n > 1)"), "a -- b", std::nullopt};
    reading.open(keyed(), {{"5"}}, 2);
    EXPECT_EQ(reading.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.<=) '5'::bigint\n) AND ((n > 1)\n) AND (a -- b\n)");
}

TEST(TableReadingTest, ExpectationsAreNeverBelowWhatWasRead) {
    TableReading reading{table(1000), "", std::nullopt};
    EXPECT_EQ(reading.rows_expected(), 10U);
    reading.rows = 500;
    EXPECT_EQ(reading.rows_expected(), 500U);
    TableShape shape = keyed();
    shape.rows = 900;
    reading.open(std::move(shape), {}, 1);
    EXPECT_EQ(reading.rows_expected(), 900U);
    ASSERT_TRUE(reading.take(1));
    reading.end_chunk(0, true);
    EXPECT_EQ(reading.rows_expected(), 500U) << "now it is known";
}

}  // namespace
}  // namespace pgc
