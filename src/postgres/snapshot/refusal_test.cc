#include "postgres/snapshot/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using At = RefusedChunk::At;
using testing::HasSubstr;

TableCopyState table(std::string where = "") {
    return {{.address = {Oid{7}, "s", "part"}, .shown = {Oid{3}, "s", "t"}},
            std::move(where),
            std::nullopt};
}

TableCopyState keyed(std::string where = "") {
    auto made = table(std::move(where));
    TableShape shape;
    shape.key = {{.name = "id", .type = "bigint"}};
    shape.ordered_by = {"id:20"};
    made.open(std::move(shape), {}, 1);
    return made;
}

TableCopyState keyless() {
    auto made = table();
    made.open({}, {}, 1);
    return made;
}

// While its rows are read.
Refusal of_rows(const TableCopyState& of, std::string_view sqlstate, std::uint64_t rows_read) {
    return judge({.sqlstate = sqlstate,
                  .at = At::rows,
                  .has_chunk = true,
                  .rows_read = rows_read,
                  .table = of});
}

TEST(RefusalTest, OnlyWhoOpensATableCanMissTheSnapshot) {
    const auto of = table();
    for (const auto* state : {"22023", "55000", "42704"}) {
        EXPECT_EQ(judge({.sqlstate = state, .at = At::opening, .table = of}),
                  Refusal::snapshot_lost);
        EXPECT_EQ(of_rows(keyed(), state, 1), Refusal::table);
    }
}

TEST(RefusalTest, WhatWasReadBeforeATimeLimitCountsByTheKey) {
    EXPECT_EQ(of_rows(keyed(), "57014", 5), Refusal::too_long);
    EXPECT_EQ(of_rows(keyed(), "57014", 0), Refusal::table) << "it would be as long again";
    EXPECT_EQ(of_rows(keyless(), "57014", 5), Refusal::table) << "all or nothing";
}

TEST(RefusalTest, WhatHasNoBinaryFormIsReadAsText) {
    for (const auto* state : {"42883", "0A000"}) {
        EXPECT_EQ(of_rows(keyed(), state, 5), Refusal::no_binary);
        EXPECT_EQ(of_rows(keyless(), state, 0), Refusal::no_binary);
        EXPECT_EQ(of_rows(keyless(), state, 5), Refusal::table) << "rows would come twice";
        auto as_text = keyed();
        as_text.read_as_text();
        EXPECT_EQ(of_rows(as_text, state, 0), Refusal::table);
    }
}

TEST(RefusalTest, ATableThatWasAlteredIsReadLater) {
    for (const auto* state : {"42P01", "42703", "3F000", "55P03", "42809"}) {
        EXPECT_EQ(judge({.sqlstate = state, .at = At::opening, .table = table()}),
                  Refusal::altered);
        EXPECT_EQ(judge({.sqlstate = state, .at = At::inspection, .table = table()}),
                  Refusal::altered);
        EXPECT_EQ(of_rows(keyed(), state, 5), Refusal::altered);
    }
}

TEST(RefusalTest, AConditionIsToBlameForWhatTheTableIsNot) {
    const auto of = table("a > 1");
    EXPECT_EQ(judge({.sqlstate = "42703", .at = At::condition, .table = of}), Refusal::condition);
    EXPECT_EQ(of_rows(keyed("1 / a > 1"), "22012", 5), Refusal::condition);
    EXPECT_EQ(of_rows(keyed("a > 1"), "53200", 5), Refusal::table) << "the server's own trouble";
    EXPECT_EQ(of_rows(keyed("a > 1"), "57014", 0), Refusal::table) << "the next one may be in time";
    EXPECT_EQ(judge({.sqlstate = "57014", .at = At::condition, .table = of}), Refusal::table);
    EXPECT_EQ(judge({.sqlstate = "42703", .at = At::opening, .has_chunk = true, .table = of}),
              Refusal::altered);
}

TEST(RefusalTest, AFailureSaysWhatToDo) {
    const auto of = table("a > 1");
    const RefusedChunk permission{.sqlstate = "42501", .at = At::condition, .table = of};
    ASSERT_EQ(judge(permission), Refusal::table);
    const auto server = [](std::string what) {
        return retry(Error::Category::permission, std::move(what));
    };
    const auto granted = failure_of(Refusal::table, permission, server("denied"), "cdc");
    EXPECT_THAT(granted.hint, HasSubstr("GRANT SELECT ON \"s\".\"part\" TO \"cdc\""));
    EXPECT_EQ(granted.where, "s.t");
    const auto hidden =
        failure_of(Refusal::table, permission, server("row-level security hides"), "cdc");
    EXPECT_THAT(hidden.hint, HasSubstr("BYPASSRLS"));

    const RefusedChunk condition{.sqlstate = "42703", .at = At::condition, .table = of};
    const auto failed = failure_of(judge(condition), condition, server("no column"), "cdc");
    EXPECT_EQ(failed.next, Error::Next::stop) << "it would fail again";
    EXPECT_THAT(failed.what, HasSubstr("its condition fails: no column"));
}

}  // namespace
}  // namespace pgc
