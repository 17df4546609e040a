#include "postgres/types/composite.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::TypeReading;
using testing::Wire;

struct CompositeTest : ::testing::Test {
    CompositeTest() {
        reading.types.add({.oid = kPair,
                           .schema = "public",
                           .name = "pair",
                           .type = 'c',
                           .attributes = {{"a", Oid{23}}, {"b", Oid{25}}},
                           .has_send = true});
        reading.types.add({.oid = kOuter,
                           .schema = "public",
                           .name = "outer",
                           .type = 'c',
                           .attributes = {{"p", kPair}, {"n", Oid{1007}}},
                           .has_send = true});
        reading.types.add({.oid = kNothing,
                           .schema = "public",
                           .name = "nothing",
                           .type = 'c',
                           .has_send = true});
    }
    std::string text(std::string_view bytes) { return reading.text(kPair, bytes); }
    std::string binary(std::string_view bytes) { return reading.binary(kPair, bytes); }

    static constexpr Oid kPair{20001};
    static constexpr Oid kOuter{20002};
    static constexpr Oid kNothing{20003};
    TypeReading reading;
};

TEST_F(CompositeTest, ReadsText) {
    EXPECT_EQ(text("(1,two)"), "(a:1,b:'two')");
}

TEST_F(CompositeTest, TellsNullFromTheEmptyText) {
    EXPECT_EQ(text("(,)"), "(a:null,b:null)");
    EXPECT_EQ(text("(,\"\")"), "(a:null,b:'')");
    EXPECT_EQ(text("(1,NULL)"), "(a:1,b:'NULL')");
}

TEST_F(CompositeTest, UnescapesQuotedFields) {
    EXPECT_EQ(text(R"((1,"a,b"))"), "(a:1,b:'a,b')");
    EXPECT_EQ(text(R"((1,"say ""hi"""))"), R"((a:1,b:'say "hi"'))");
    EXPECT_EQ(text(R"((1,"back\\slash"))"), R"((a:1,b:'back\slash'))");
    EXPECT_EQ(text(R"_((1,"(x)"))_"), "(a:1,b:'(x)')");
}

TEST_F(CompositeTest, NestsInText) {
    EXPECT_EQ(reading.text(kOuter, R"_(("(1,""a """"b"""""")","{1,2}"))_"),
              R"_((p:(a:1,b:'a "b"'),n:[1:2]{1,2}))_");
}

TEST_F(CompositeTest, ReadsBinary) {
    EXPECT_EQ(binary(Wire{}.int32(2).int32(23).int32(4).int32(1).int32(25).sized("two")),
              "(a:1,b:'two')");
    EXPECT_EQ(binary(Wire{}.int32(2).int32(23).int32(-1).int32(25).sized("")), "(a:null,b:'')");
}

TEST_F(CompositeTest, NestsInBinary) {
    const std::string pair =
        Wire{}.int32(2).int32(23).int32(4).int32(1).int32(25).sized("x").bytes();
    EXPECT_EQ(reading.binary(kOuter,
                             Wire{}.int32(2).uint32(kPair.value).sized(pair).int32(1007).int32(-1)),
              "(p:(a:1,b:'x'),n:null)");
}

TEST_F(CompositeTest, FieldsAddedSinceAreNull) {
    EXPECT_EQ(text("(1)"), "(a:1,b:null)");
    EXPECT_EQ(binary(Wire{}.int32(1).int32(23).int32(4).int32(1)), "(a:1,b:null)");
}

TEST_F(CompositeTest, RefusesMoreFieldsThanTheTypeHas) {
    EXPECT_EQ(text("(1,2,3)"), "refused");
    EXPECT_EQ(binary(Wire{}.int32(3)), "refused");
}

TEST_F(CompositeTest, MayHaveNoFields) {
    EXPECT_EQ(reading.text(kNothing, "()"), "()");
    EXPECT_EQ(reading.text(kNothing, "(1)"), "refused");
    EXPECT_EQ(reading.binary(kNothing, Wire{}.int32(0)), "()");
}

TEST_F(CompositeTest, RefusesWhatIsNoRow) {
    for (const auto bytes : {"", "(", ")", "1,2", "(1,2", "1,2)", "(x,y)", "(1,\"y)", "(1,y\\)",
                             "(1)(2)", "(1,2))", "((1,2)"}) {
        EXPECT_EQ(text(bytes), "refused") << bytes;
    }
}

TEST_F(CompositeTest, RefusesFieldsOfAnotherType) {
    EXPECT_EQ(binary(Wire{}.int32(1).int32(20).int32(4).int32(1)), "refused");
}

TEST_F(CompositeTest, RefusesEveryProperPrefix) {
    const std::string whole =
        Wire{}.int32(2).int32(23).int32(4).int32(1).int32(25).sized("two").bytes();
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_EQ(binary(whole.substr(0, n)), "refused") << n;
    }
    EXPECT_EQ(binary(whole + '\0'), "refused");
}

TEST_F(CompositeTest, RefusesLengthsThatLie) {
    for (const std::uint32_t lie : {5U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFEU}) {
        EXPECT_EQ(binary(Wire{}.int32(1).int32(23).uint32(lie).int32(1)), "refused") << lie;
    }
}

}  // namespace
}  // namespace pgc
