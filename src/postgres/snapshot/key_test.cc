#include "postgres/snapshot/key.h"

#include <gtest/gtest.h>

#include "postgres/types/type_map.h"

namespace pgc {
namespace {

using namespace std::string_view_literals;

constexpr Oid int4{23}, int8{20}, bytea{17}, uuid{2950}, timestamptz{1184}, oid_type{26};

std::optional<std::string> binary(Oid type, std::string_view bytes) {
    TypeMap types;
    Scratch scratch;
    const Cell cell{.data = bytes.data(),
                    .size = static_cast<std::uint32_t>(bytes.size()),
                    .state = Cell::State::binary};
    return key_text(*types.find(type), cell, scratch);
}

TEST(SnapshotKeyTest, BinaryKeysBecomeTheServersTexts) {
    EXPECT_EQ(binary(int4, "\xff\xff\xff\xfe"sv), "-2");
    EXPECT_EQ(binary(int8, "\0\0\0\1\0\0\0\0"sv), "4294967296");
    EXPECT_EQ(binary(oid_type, "\xff\xff\xff\xff"sv), "4294967295");
    EXPECT_EQ(binary(bytea, "\0a\xff"sv), "\\x0061ff");
    EXPECT_EQ(binary(uuid, "0123456789abcdef"sv), "30313233-3435-3637-3839-616263646566");
}

TEST(SnapshotKeyTest, WhatIsNoValueOfItsTypeIsNoKey) {
    EXPECT_EQ(binary(int4, "\xff"sv), std::nullopt);
    EXPECT_EQ(binary(timestamptz, "\0\0\0\0\0\0\0\0"sv), std::nullopt);
}

TEST(SnapshotKeyTest, TextsAreWhatTheyAre) {
    TypeMap types;
    Scratch scratch;
    const Cell cell{.data = "2024-01-01 00:00:00+00", .size = 22, .state = Cell::State::text};
    EXPECT_EQ(key_text(*types.find(timestamptz), cell, scratch), "2024-01-01 00:00:00+00");
    EXPECT_EQ(key_text(*types.find(timestamptz), {.state = Cell::State::null}, scratch),
              std::nullopt);
}

const std::vector<OrderedColumn> kOne{{.name = "id", .type = "bigint"}};
const std::vector<OrderedColumn> kTwo{{.name = "a", .type = "integer"},
                                      {.name = "B", .type = "text"}};
// citext and the like: in a schema of its own, and ordered as no other column is.
const std::vector<OrderedColumn> kMixed{{.name = "a", .type = "integer"},
                                        {.name = "b",
                                         .type = "x.odd",
                                         .collation = "pg_catalog.\"C\"",
                                         .operators = {.less = "OPERATOR(x.#<#)",
                                                       .at_most = "OPERATOR(x.#<=#)",
                                                       .equal = "OPERATOR(x.=)",
                                                       .at_least = "OPERATOR(x.#>=#)",
                                                       .greater = "OPERATOR(x.#>#)"}}};

TEST(SnapshotKeyTest, RangesAreOpenBelowAndClosedAbove) {
    EXPECT_EQ(condition({}, kOne), "");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {}}, kOne),
              R"("id" OPERATOR(pg_catalog.>) '5'::bigint)");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {"9"}}, kOne),
              R"("id" OPERATOR(pg_catalog.>) '5'::bigint AND )"
              R"("id" OPERATOR(pg_catalog.<=) '9'::bigint)");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {"9"}, .alone = true}, kOne),
              R"("id" OPERATOR(pg_catalog.=) '9'::bigint)");
}

TEST(SnapshotKeyTest, KeysOfSeveralColumnsAreComparedAsRows) {
    EXPECT_EQ(condition({.after = {"1", "it's"}, .upto = {"2", ""}}, kTwo),
              R"(("a", "B") OPERATOR(pg_catalog.>) ('1'::integer, 'it''s'::text) AND )"
              R"(("a", "B") OPERATOR(pg_catalog.<=) ('2'::integer, ''::text))");
    EXPECT_EQ(
        condition({.after = {}, .upto = {"2", "b"}, .alone = true}, kTwo),
        R"("a" OPERATOR(pg_catalog.=) '2'::integer AND "B" OPERATOR(pg_catalog.=) 'b'::text)");
}

TEST(SnapshotKeyTest, ColumnsWithOperatorsOfTheirOwnAreComparedOneByOne) {
    EXPECT_EQ(condition({.after = {"1", "v"}, .upto = {}}, kMixed),
              R"(("a" OPERATOR(pg_catalog.>=) '1'::integer AND )"
              R"(("a" OPERATOR(pg_catalog.>) '1'::integer OR )"
              R"("b" COLLATE pg_catalog."C" OPERATOR(x.#>#) 'v'::x.odd)))");
    EXPECT_EQ(condition({.after = {}, .upto = {"1", "v"}}, kMixed),
              R"(("a" OPERATOR(pg_catalog.<=) '1'::integer AND )"
              R"(("a" OPERATOR(pg_catalog.<) '1'::integer OR )"
              R"("b" COLLATE pg_catalog."C" OPERATOR(x.#<=#) 'v'::x.odd)))");
}

TEST(SnapshotKeyTest, RowsAreOrderedAsTheKeyIs) {
    EXPECT_EQ(order_list(kMixed), R"("a" USING OPERATOR(pg_catalog.<), )"
                                  R"("b" COLLATE pg_catalog."C" USING OPERATOR(x.#<#))");
}

}  // namespace
}  // namespace pgc
