#include "postgres/types/search.h"

#include <gtest/gtest.h>

#include <string_view>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::Wire;

TEST(SearchTest, WritesVectorsWithTheirPositions) {
    EXPECT_EQ(binary("tsvector", Wire{}.int32(0)), "''");
    Wire wire;
    wire.int32(2).string("a").int16(1).int16(1);
    wire.string("it's\\").int16(2).int16(-0x3FFE).int16(3);  // weight 3 is A
    EXPECT_EQ(binary("tsvector", wire), R"(''a':1 'it''s\\':2A,3')");
}

TEST(SearchTest, RefusesVectorsThatLie) {
    EXPECT_EQ(binary("tsvector", Wire{}.int32(1)), "refused");
    EXPECT_EQ(binary("tsvector", Wire{}.int32(1).raw("a")), "refused");
    EXPECT_EQ(binary("tsvector", Wire{}.int32(1).string("a").int16(2).int16(1)), "refused");
    EXPECT_EQ(binary("tsvector", Wire{}.int32(0).int8(0)), "refused");
    EXPECT_EQ(binary("tsvector", Wire{}.int32(-1)), "refused");
}

Wire& operand(Wire& wire, std::string_view lexeme, int weights = 0, bool prefix = false) {
    return wire.int8(1).int8(static_cast<std::int8_t>(weights)).int8(prefix ? 1 : 0).string(lexeme);
}

TEST(SearchTest, WritesQueriesWithTheParenthesesTheyNeed) {
    EXPECT_EQ(binary("tsquery", Wire{}.int32(0)), "''");
    Wire wire;  // 'fat' & ( 'cat' | 'rat' ): the right operand comes first
    wire.int32(5).int8(2).int8(2).int8(2).int8(3);
    operand(wire, "rat");
    operand(wire, "cat");
    operand(wire, "fat", 8 | 1, true);
    EXPECT_EQ(binary("tsquery", wire), "''fat':*AD & ( 'cat' | 'rat' )'");
}

TEST(SearchTest, ThePhraseOperatorKeepsItsOrder) {
    Wire wire;  // 'a' <-> ( 'b' <3> !'c' )
    wire.int32(6).int8(2).int8(4).int16(1).int8(2).int8(4).int16(3).int8(2).int8(1);
    operand(wire, "c");
    operand(wire, "b");
    operand(wire, "a");
    EXPECT_EQ(binary("tsquery", wire), "''a' <-> ( 'b' <3> !'c' )'");
    Wire other;  // ( 'a' <-> 'b' ) <-> 'c' needs none
    other.int32(5).int8(2).int8(4).int16(1);
    operand(other, "c");
    other.int8(2).int8(4).int16(1);
    operand(other, "b");
    operand(other, "a");
    EXPECT_EQ(binary("tsquery", other), "''a' <-> 'b' <-> 'c''");
}

TEST(SearchTest, RefusesQueriesThatLie) {
    Wire lonely;
    lonely.int32(2).int8(2).int8(2);
    operand(lonely, "a");
    EXPECT_EQ(binary("tsquery", lonely), "refused") << "an operand is missing";
    Wire many;
    many.int32(2);
    operand(many, "a");
    operand(many, "b");
    EXPECT_EQ(binary("tsquery", many), "refused") << "an operator is missing";
    EXPECT_EQ(binary("tsquery", Wire{}.int32(1).int8(3)), "refused");
    EXPECT_EQ(binary("tsquery", Wire{}.int32(1).int8(2).int8(5)), "refused");
    EXPECT_EQ(binary("tsquery", Wire{}.int32(-1)), "refused");
}

TEST(SearchTest, HoweverDeepItNestsNoStackIsNeeded) {
    constexpr int depth = 20'000;
    Wire wire;
    wire.int32(2 * depth + 1);
    for (int i = 0; i < depth; ++i) {
        wire.int8(2).int8(2);
        operand(wire, "b");
    }
    operand(wire, "a");
    EXPECT_EQ(binary("tsquery", wire).size(), 2U + 3U + depth * 6U);
}

}  // namespace
}  // namespace pgc
