#include "postgres/types/array.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::TypeReading;
using testing::Wire;

TEST(ArrayTextTest, ReadsOneDimension) {
    EXPECT_EQ(text("_int4", "{1,2,3}"), "[1:3]{1,2,3}");
    EXPECT_EQ(text("_int4", "{1}"), "[1:1]{1}");
    EXPECT_EQ(text("_text", "{a,b}"), "[1:2]{'a','b'}");
}

TEST(ArrayTextTest, AnEmptyArrayHasNoDimensions) {
    EXPECT_EQ(text("_int4", "{}"), "{}");
}

TEST(ArrayTextTest, TellsNullFromTheTextNull) {
    EXPECT_EQ(text("_text", R"({NULL,"NULL","",x})"), "[1:4]{null,'NULL','','x'}");
}

TEST(ArrayTextTest, UnescapesQuotedElements) {
    EXPECT_EQ(text("_text", R"({"a,b","{c}","d \"e\"","f\\g"," "})"),
              R"([1:5]{'a,b','{c}','d "e"','f\g',' '})");
}

TEST(ArrayTextTest, ReadsSeveralDimensions) {
    EXPECT_EQ(text("_int4", "{{1,2,3},{4,5,6}}"), "[1:2][1:3]{1,2,3,4,5,6}");
    EXPECT_EQ(text("_int4", "{{{1},{2}},{{3},{4}}}"), "[1:2][1:2][1:1]{1,2,3,4}");
    EXPECT_EQ(text("_int4", "{{{{{{1}}}}}}"), "[1:1][1:1][1:1][1:1][1:1][1:1]{1}");
}

TEST(ArrayTextTest, ReadsBounds) {
    EXPECT_EQ(text("_int4", "[0:2]={1,2,3}"), "[0:2]{1,2,3}");
    EXPECT_EQ(text("_int4", "[-1:0][5:6]={{1,2},{3,4}}"), "[-1:0][5:6]{1,2,3,4}");
}

TEST(ArrayTextTest, BoxesAreSeparatedBySemicolons) {
    EXPECT_EQ(text("_box", "{(1,1),(0,0);(2,2),(1,1)}"), "[1:2]{'(1,1),(0,0)','(2,2),(1,1)'}");
}

TEST(ArrayTextTest, ReadsElementsOfEveryKind) {
    EXPECT_EQ(text("_bool", "{t,f}"), "[1:2]{true,false}");
    EXPECT_EQ(text("_numeric", "{1.50,NaN}"), "[1:2]{'1.50','NaN'}");
    EXPECT_EQ(text("_bytea", R"({"\\x6162"})"), "[1:1]{'ab'}");
    EXPECT_EQ(text("_date", "{2000-01-02,infinity}"), "[1:2]{1,infinity}");
    EXPECT_EQ(text("_timestamptz", R"({"2000-01-01 00:00:01+00"})"), "[1:1]{1000000}");
    TypeReading reading;
    EXPECT_EQ(reading.text(Oid{3905}, R"_({"[1,5)",empty})_"), "[1:2]{[1,5),empty}");
}

TEST(ArrayTextTest, RefusesWhatIsNoArray) {
    for (const auto bytes : {"",
                             "{",
                             "}",
                             "1",
                             "{1",
                             "1}",
                             "{1,}",
                             "{,1}",
                             "{1,,2}",
                             "{1}{2}",
                             "{1} ",
                             "{{1},2}",
                             "{1,{2}}",
                             "{{1,2},{3}}",
                             "{{1},{2,3}}",
                             "{{1},{}}",
                             "{{}}",
                             "{{{{{{{1}}}}}}}",
                             "{x}",
                             "{\"1}",
                             "{\\",
                             "[0:1]={1}",
                             "[0:0]={1,2}",
                             "[0:1]{1,2}",
                             "[1:0]={}",
                             "[0={1}",
                             "[0:]={1}",
                             "[0:1][0:1]={1,2}",
                             "[a:b]={1}",
                             "{{1}{2}}",
                             "{{1},{2}"}) {
        EXPECT_EQ(text("_int4", bytes), "refused") << bytes;
    }
}

TEST(ArrayBinaryTest, ReadsOneDimension) {
    EXPECT_EQ(binary("_int4", Wire{}
                                  .int32(1)
                                  .int32(1)
                                  .int32(23)
                                  .int32(3)
                                  .int32(1)
                                  .int32(4)
                                  .int32(7)
                                  .int32(-1)
                                  .int32(4)
                                  .int32(8)),
              "[1:3]{7,null,8}");
}

TEST(ArrayBinaryTest, ReadsDimensionsAndBounds) {
    Wire wire;
    wire.int32(2).int32(0).int32(25).int32(2).int32(0).int32(1).int32(-5);
    wire.sized("a").sized("");
    EXPECT_EQ(binary("_text", wire), "[0:1][-5:-5]{'a',''}");
}

TEST(ArrayBinaryTest, AnEmptyArrayHasNoDimensions) {
    EXPECT_EQ(binary("_int4", Wire{}.int32(0).int32(0).int32(23)), "{}");
}

TEST(ArrayBinaryTest, RefusesLengthsThatLieWithoutAllocating) {
    const auto of_length = [](std::uint32_t length) {
        return binary("_int4",
                      Wire{}.int32(1).int32(0).int32(23).uint32(length).int32(1).sized("\0\0\0\1"));
    };
    for (const std::uint32_t lie : {0U, 2U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        EXPECT_EQ(of_length(lie), "refused") << lie;
    }
}

TEST(ArrayBinaryTest, RefusesProductsThatOverflow) {
    Wire wire;
    wire.int32(6).int32(0).int32(23);
    for (int i = 0; i < 6; ++i) {
        wire.int32(0x7FFFFFFF).int32(1);
    }
    EXPECT_EQ(binary("_int4", wire), "refused");
}

TEST(ArrayBinaryTest, RefusesEveryProperPrefix) {
    const std::string whole =
        Wire{}.int32(1).int32(1).int32(23).int32(2).int32(1).int32(4).int32(7).int32(-1).bytes();
    ASSERT_EQ(binary("_int4", whole), "[1:2]{7,null}");
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_EQ(binary("_int4", whole.substr(0, n)), "refused") << n;
    }
    EXPECT_EQ(binary("_int4", whole + '\0'), "refused");
}

TEST(ArrayBinaryTest, RefusesTooManyDimensions) {
    EXPECT_EQ(binary("_int4", Wire{}.int32(7).int32(0).int32(23).raw(std::string(60, '\1'))),
              "refused");
    EXPECT_EQ(binary("_int4", Wire{}.int32(-1).int32(0).int32(23)), "refused");
}

struct VectorTest : ::testing::Test {
    VectorTest() {
        reading.types.add({.oid = kVector, .schema = "public", .name = "vector", .has_send = true});
        reading.types.add({.oid = kHalf, .schema = "public", .name = "halfvec", .has_send = true});
    }
    static constexpr Oid kVector{20001};
    static constexpr Oid kHalf{20002};
    TypeReading reading;
};

TEST_F(VectorTest, ReadsText) {
    EXPECT_EQ(reading.text(kVector, "[1,2.5,-3e-05]"), "[1:3]{1,2.5,-2.9999999242136255e-05}");
    EXPECT_EQ(reading.text(kHalf, "[0.5]"), "[1:1]{0.5}");
}

TEST_F(VectorTest, ReadsBinary) {
    EXPECT_EQ(reading.binary(kVector, Wire{}.int16(2).int16(0).real32(1.0F).real32(2.5F)),
              "[1:2]{1,2.5}");
    EXPECT_EQ(reading.binary(kHalf, Wire{}.int16(6).int16(0).raw(std::string_view{
                                        "\x3C\x00\xC0\x00\x35\x55\x00\x01\x7B\xFF\x80\x00", 12})),
              "[1:6]{1,-2,0.333251953125,5.960464477539063e-08,65504,-0}");
}

TEST_F(VectorTest, RefusesOtherBytes) {
    for (const auto bytes : {"", "[]", "[1", "1]", "[1,]", "[,1]", "[1 2]", "[x]", "[1,2]]"}) {
        EXPECT_EQ(reading.text(kVector, bytes), "refused") << bytes;
    }
    EXPECT_EQ(reading.binary(kVector, Wire{}.int16(2).int16(0).real32(1.0F)), "refused");
    EXPECT_EQ(reading.binary(kHalf, Wire{}.int16(-1).int16(0)), "refused");
    EXPECT_EQ(reading.binary(kVector, "a"), "refused");
}

}  // namespace
}  // namespace pgc
