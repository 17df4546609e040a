#include "postgres/snapshot/table_copy_state.h"

#include <gtest/gtest.h>

#include <memory>

namespace pgc {
namespace {

using CopyState = TableCopyState::State;

constexpr std::uint64_t large = std::uint64_t{100} << 20;

SnapshotTable a_table(std::uint64_t bytes = 1000, std::string filter = "") {
    return {.address = {Oid{7}, "s", "t"},
            .shown = {Oid{7}, "s", "t"},
            .bytes = bytes,
            .filter = std::move(filter)};
}

TableShape keyed_shape() {
    TableShape shape;
    shape.key = {{.name = "id", .type = "bigint"}};
    shape.ordered_by = {"id:20"};
    shape.pages = 12'800;
    return shape;
}

TableShape keyless_shape() {
    TableShape shape;
    shape.pages = 1000;
    return shape;
}

TEST(TableCopyStateTest, ATableOfTwoPublicationsIsReadAsTheStreamShowsIt) {
    SnapshotTable one = a_table(1000, "a > 1");
    merge(one, a_table(1000, "b > 2"));
    EXPECT_EQ(one.filter, "(a > 1) OR (b > 2)");
    merge(one, a_table());
    EXPECT_EQ(one.filter, "");
    SnapshotTable as_root = a_table();
    as_root.shown = {Oid{3}, "s", "root"};
    merge(one, as_root);
    EXPECT_EQ(one.shown.oid, Oid{3});
    merge(one, a_table());
    EXPECT_EQ(one.shown.oid, Oid{3});
}

TEST(TableCopyStateTest, ASmallTableIsOnePart) {
    TableCopyState copy{a_table(), "", std::nullopt};
    EXPECT_EQ(copy.parts_wanted(keyed_shape(), 4), 1U);
    copy.open(keyed_shape(), {}, 1);
    const auto chunk = copy.take(10);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->condition, "");
    EXPECT_EQ(chunk->limit, 10U);
    EXPECT_FALSE(copy.has_chunk()) << "it is being read";
}

TEST(TableCopyStateTest, ALargeOneIsCutForSeveralReaders) {
    TableCopyState copy{a_table(large), "", std::nullopt};
    EXPECT_EQ(copy.parts_wanted(keyed_shape(), 1), 1U);
    EXPECT_EQ(copy.parts_wanted(keyed_shape(), 2), 12U);
    copy.open(keyed_shape(), {{"5"}, {"9"}}, 3);
    EXPECT_EQ(copy.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.<=) '5'::bigint\n)");
    EXPECT_EQ(copy.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.>) '5'::bigint AND \"id\" OPERATOR(pg_catalog.<=) "
              "'9'::bigint\n)");
    EXPECT_EQ(copy.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '9'::bigint\n)");
    EXPECT_FALSE(copy.take(10));
}

TEST(TableCopyStateTest, EachChunkBeginsBehindWhatWasRead) {
    TableCopyState copy{a_table(), "", std::nullopt};
    copy.open(keyed_shape(), {}, 1);
    ASSERT_TRUE(copy.take(10));
    copy.read_up_to(0, {"42"});
    copy.end_chunk(0, false);
    EXPECT_EQ(copy.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '42'::bigint\n)");
    copy.end_chunk(0, true);
    EXPECT_EQ(copy.state(), CopyState::read);
}

TEST(TableCopyStateTest, WhatIsNotDurableIsLeft) {
    TableCopyState copy{a_table(), "", std::nullopt};
    EXPECT_EQ(copy.left(), std::nullopt) << "nobody has opened it";
    copy.open(keyed_shape(), {{"50"}}, 2);
    ASSERT_TRUE(copy.take(10));
    copy.read_up_to(0, {"42"});
    EXPECT_EQ(copy.left()->left[0], (KeyRange{{}, {"50"}}));
    copy.durable_up_to(0, {"41"});
    EXPECT_EQ(copy.left()->left[0], (KeyRange{{"41"}, {"50"}}));
    copy.end_chunk(0, true);
    copy.durable_whole(0);
    ASSERT_EQ(copy.left()->left.size(), 1U);
    EXPECT_EQ(copy.left()->left[0], (KeyRange{{"50"}, {}}));
    EXPECT_EQ(copy.left()->key, Key{"id:20"});
}

TEST(TableCopyStateTest, ItIsDurableWhenAllItsPartsAre) {
    TableCopyState copy{a_table(), "", std::nullopt};
    copy.open(keyed_shape(), {{"50"}}, 2);
    for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        ASSERT_TRUE(copy.take(10));
        copy.end_chunk(part, true);
        EXPECT_FALSE(copy.all_durable());
        copy.durable_whole(part);
    }
    EXPECT_TRUE(copy.all_durable());
}

TEST(TableCopyStateTest, WhatIsLeftIsGoneOnWith) {
    const OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    TableCopyState copy{a_table(large), "", open};
    EXPECT_EQ(copy.left(), open);
    EXPECT_EQ(copy.parts_wanted(keyed_shape(), 4), 1U) << "it is cut already";
    copy.open(keyed_shape(), {}, 1);
    EXPECT_EQ(copy.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.>) '41'::bigint AND \"id\" OPERATOR(pg_catalog.<=) "
              "'50'::bigint\n)");
    EXPECT_FALSE(copy.take(10));
}

TEST(TableCopyStateTest, ARowThatMovedIsReadOnceMore) {
    TableCopyState copy{a_table(), "", std::nullopt};
    copy.open(keyed_shape(), {}, 1);
    ASSERT_TRUE(copy.take(10));
    copy.read_up_to(0, {"42"});
    copy.durable_up_to(0, {"42"});
    copy.end_chunk(0, false);
    copy.read_again(Key{"7"});
    const auto left = copy.left();
    ASSERT_EQ(left->left.size(), 2U);
    EXPECT_EQ(left->left[1], (KeyRange{.after = {}, .upto = {"7"}, .alone = true}));
    TableCopyState later{a_table(), "", left};
    later.open(keyed_shape(), {}, 1);
    ASSERT_TRUE(later.take(10));
    const auto chunk = later.take(10);
    EXPECT_EQ(chunk->condition, "(\"id\" OPERATOR(pg_catalog.=) '7'::bigint\n)");
    EXPECT_EQ(chunk->limit, 0U) << "it is whole whatever comes";
}

TEST(TableCopyStateTest, RowsThatMovedAreReadManyAtOnce) {
    OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    for (int i = 0; i < 250; ++i) {
        open.left.push_back({.after = {}, .upto = {std::to_string(i)}, .alone = true});
    }
    TableCopyState copy{a_table(), "", open};
    copy.open(keyed_shape(), {}, 1);
    ASSERT_TRUE(copy.take(2));
    const auto few = copy.take(2);
    EXPECT_EQ(few->condition,
              "(\"id\" OPERATOR(pg_catalog.=) '0'::bigint\n"
              " OR \"id\" OPERATOR(pg_catalog.=) '1'::bigint\n)");
    copy.end_chunk(few->part, false);
    std::vector<std::size_t> parts;
    for (int i = 0; i < 3; ++i) {
        const auto chunk = copy.take(1000);
        ASSERT_TRUE(chunk);
        EXPECT_EQ(chunk->limit, 0U);
        copy.end_chunk(chunk->part, true);
        EXPECT_TRUE(copy.part_read(chunk->part));
        parts.push_back(chunk->part);
    }
    EXPECT_FALSE(copy.take(1000)) << "100, 100 and 50";
    EXPECT_EQ(copy.left()->left.size(), 251U) << "nothing of it is durable";
    copy.durable_whole(parts[1]);
    EXPECT_EQ(copy.left()->left.size(), 151U);
    copy.durable_whole(parts[0]);
    copy.durable_whole(parts[2]);
    EXPECT_EQ(copy.left()->left.size(), 1U);
}

TEST(TableCopyStateTest, ARowThatMovedBeforeTheTableIsOpenedIsKept) {
    OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{{"41"}, {"50"}}}};
    TableCopyState copy{a_table(), "", open};
    copy.read_again(Key{"7"});
    open.left.push_back({.after = {}, .upto = {"7"}, .alone = true});
    EXPECT_EQ(copy.left(), open);
    copy.read_again(std::nullopt);
    EXPECT_EQ(copy.left()->left, (std::vector<KeyRange>{{}})) << "a key without a text";
    TableCopyState fresh{a_table(), "", std::nullopt};
    fresh.read_again(Key{"7"});
    EXPECT_EQ(fresh.left(), std::nullopt) << "all of it is left";
}

TEST(TableCopyStateTest, WhereAKeyHasNoTextTheTableIsReadAnew) {
    TableCopyState copy{a_table(), "", std::nullopt};
    copy.open(keyed_shape(), {}, 1);
    copy.durable_up_to(0, {"42"});
    copy.read_again(std::nullopt);
    EXPECT_EQ(copy.left()->left, (std::vector<KeyRange>{{}}));
}

TEST(TableCopyStateTest, RangesOfAnotherKeyAreWorthNothing) {
    TableCopyState copy{a_table(), "",
                        OpenTable{.shown = Oid{7}, .key = {"id:23"}, .left = {{{"41"}, {"50"}}}}};
    copy.open(keyed_shape(), {}, 1);
    EXPECT_EQ(copy.take(10)->condition, "");
}

// A primary key that was made again, perhaps of other columns or values under the old names.
TEST(TableCopyStateTest, RangesOfAKeyThatIsOnlyCalledTheSameAreWorthNothing) {
    const auto word = [](std::string version) {
        return ordering_word({.column = "id", .type = Oid{20}, .version = std::move(version)});
    };
    TableShape shape = keyed_shape();
    shape.ordered_by = {word("16390.742")};
    const OpenTable open{.shown = Oid{7}, .key = {word("16390.742")}, .left = {{{"41"}, {}}}};
    TableCopyState same{a_table(), "", open};
    same.open(shape, {}, 1);
    EXPECT_EQ(same.take(10)->condition, "(\"id\" OPERATOR(pg_catalog.>) '41'::bigint\n)");
    for (const char* now : {"16390.743", "16400.742"}) {
        shape.ordered_by = {word(now)};
        TableCopyState other{a_table(), "", open};
        other.open(shape, {}, 1);
        EXPECT_EQ(other.take(10)->condition, "") << now;
    }
}

// No change of a row shows the values that an alteration gave.
TEST(TableCopyStateTest, WhatWasReadBeforeAnAlterationIsReadAgain) {
    using Columns = std::vector<ColumnVersion>;
    const auto from_start = [](const Columns& was, const Columns& now) {
        TableCopyState before{a_table(), "", std::nullopt};
        TableShape shape = keyed_shape();
        shape.versions = was;
        before.open(shape, {}, 1);
        before.durable_up_to(0, {"41"});
        shape.versions = now;
        TableCopyState after{a_table(), "", before.left()};
        after.open(shape, {}, 1);
        return after.take(10)->condition.empty();
    };
    const Columns was{{0, "16400"}, {1, "742"}, {3, "742"}};
    EXPECT_FALSE(from_start(was, was));
    EXPECT_TRUE(from_start(was, {{0, "16400"}, {1, "742"}, {3, "743"}})) << "altered USING";
    EXPECT_TRUE(from_start(was, {{0, "16400"}, {1, "742"}, {4, "743", true}})) << "made again";
    EXPECT_TRUE(from_start(was, {{0, "16400"}, {1, "742"}, {3, "742"}, {4, "743", true}}))
        << "a default";
    EXPECT_TRUE(from_start(was, {{0, "16409"}, {1, "742"}, {3, "742"}, {4, "743"}})) << "rewritten";
    const Columns more{{0, "16400"}, {1, "742"}, {3, "742"}, {4, "743"}};
    EXPECT_FALSE(from_start(was, more)) << "NULL in all that was there";
    EXPECT_TRUE(from_start(more, {{0, "16400"}, {1, "742"}, {3, "742"}, {4, "750"}}));
    EXPECT_FALSE(from_start({}, was)) << "an earlier version has not stored it";
}

TEST(TableCopyStateTest, ATableWithoutAKeyIsReadByPagesAndLeavesNothingBehind) {
    TableCopyState copy{a_table(large), "", std::nullopt};
    EXPECT_EQ(copy.parts_wanted(keyless_shape(), 2), 12U);
    copy.open(keyless_shape(), {}, 2);
    EXPECT_EQ(copy.take(10)->condition, "(ctid >= '(0,0)' AND ctid < '(501,0)'\n)");
    const auto last = copy.take(10);
    EXPECT_EQ(last->condition, "(ctid >= '(501,0)'\n)");
    EXPECT_EQ(last->limit, 0U);
    EXPECT_FALSE(copy.torn(1));
    copy.read_up_to(1, {});
    EXPECT_TRUE(copy.torn(1));
    EXPECT_EQ(copy.left(), std::nullopt);
}

TEST(TableCopyStateTest, ConditionsAreAllMet) {
    TableCopyState copy{a_table(1000, "(n > 1)"), "a -- b", std::nullopt};
    copy.open(keyed_shape(), {{"5"}}, 2);
    EXPECT_EQ(copy.take(10)->condition,
              "(\"id\" OPERATOR(pg_catalog.<=) '5'::bigint\n) AND ((n > 1)\n) AND (a -- b\n)");
}

TEST(TableCopyStateTest, ExpectationsAreNeverBelowWhatWasRead) {
    TableCopyState copy{a_table(1000), "", std::nullopt};
    EXPECT_EQ(copy.rows_expected(), 10U);
    copy.rows = 500;
    EXPECT_EQ(copy.rows_expected(), 500U);
    TableShape shape = keyed_shape();
    shape.rows = 900;
    copy.open(std::move(shape), {}, 1);
    EXPECT_EQ(copy.rows_expected(), 900U);
    ASSERT_TRUE(copy.take(1));
    copy.end_chunk(0, true);
    EXPECT_EQ(copy.rows_expected(), 500U) << "now it is known";
}

}  // namespace
}  // namespace pgc
