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

TEST(SnapshotKeyTest, RangesAreOpenBelowAndClosedAbove) {
    const std::vector<std::string> one{"id"};
    EXPECT_EQ(condition({}, one), "");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {}}, one), R"("id" > '5')");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {"9"}}, one), R"("id" > '5' AND "id" <= '9')");
    EXPECT_EQ(condition({.after = {"5"}, .upto = {"9"}, .alone = true}, one), R"("id" = '9')");
}

TEST(SnapshotKeyTest, TextsThatTheServerWouldTakeForSomethingElseAreCast) {
    const std::vector<std::string> two{"a", "b"};
    const std::vector<std::string> casts{"", "public.pair"};
    EXPECT_EQ(condition({.after = {"1", "(1,a)"}, .upto = {}}, two, casts),
              R"(("a", "b") > ('1', '(1,a)'::public.pair))");
}

TEST(SnapshotKeyTest, KeysOfSeveralColumnsAreComparedAsRows) {
    const std::vector<std::string> two{"a", "B"};
    EXPECT_EQ(condition({.after = {"1", "it's"}, .upto = {"2", ""}}, two),
              R"(("a", "B") > ('1', 'it''s') AND ("a", "B") <= ('2', ''))");
}

}  // namespace
}  // namespace pgc
