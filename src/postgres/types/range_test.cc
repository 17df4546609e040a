#include "postgres/types/range.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::TypeReading;
using testing::Wire;

TEST(RangeTest, ReadsText) {
    EXPECT_EQ(text("int4range", "[1,10)"), "[1,10)");
    EXPECT_EQ(text("int4range", "(1,10]"), "(1,10]");
    EXPECT_EQ(text("numrange", "[1.10,2.20]"), "['1.10','2.20']");
}

TEST(RangeTest, ReadsUnboundedRanges) {
    EXPECT_EQ(text("int4range", "(,5)"), "(null,5)");
    EXPECT_EQ(text("int4range", "[5,)"), "[5,null)");
    EXPECT_EQ(text("int4range", "(,)"), "(null,null)");
}

TEST(RangeTest, ReadsTheEmptyRange) {
    EXPECT_EQ(text("int4range", "empty"), "empty");
    EXPECT_EQ(binary("int4range", Wire{}.int8(1)), "empty");
}

TEST(RangeTest, UnescapesQuotedBounds) {
    EXPECT_EQ(text("tsrange", R"(["2000-01-01 00:00:01","2000-01-01 00:00:02"))"),
              "[1000000,2000000)");
    EXPECT_EQ(text("tstzrange", R"(["2000-01-01 00:00:01+00",infinity])"), "[1000000,infinity]");
    TypeReading reading;
    reading.types.add({.oid = Oid{20001},
                       .schema = "s",
                       .name = "textrange",
                       .type = 'r',
                       .subtype = Oid{25},
                       .has_send = true});
    EXPECT_EQ(reading.text(Oid{20001}, R"_(["a""b\\,)",""])_"), R"_(['a"b\,)',''])_");
}

TEST(RangeTest, ReadsBinary) {
    EXPECT_EQ(binary("int4range", Wire{}.int8(2).int32(4).int32(1).int32(4).int32(10)), "[1,10)");
    EXPECT_EQ(binary("int4range", Wire{}.int8(4 | 8).int32(4).int32(10)), "(null,10]");
    EXPECT_EQ(binary("int4range", Wire{}.int8(2 | 16).int32(4).int32(1)), "[1,null)");
    EXPECT_EQ(binary("int4range", Wire{}.int8(8 | 16)), "(null,null)");
}

TEST(RangeTest, RefusesWhatIsNoRange) {
    for (const auto bytes : {"", "[", "[]", "[1]", "[1,2", "1,2]", "[1,2,3]", "[x,2)", "[1,x)",
                             "Empty", "[1,\"2)", "[1,2)x)", "{1,2}"}) {
        EXPECT_EQ(text("int4range", bytes), "refused") << bytes;
    }
}

TEST(RangeTest, RefusesBinaryThatIsNone) {
    EXPECT_EQ(binary("int4range", ""), "refused");
    EXPECT_EQ(binary("int4range", Wire{}.int8(1).int8(0)), "refused");
    EXPECT_EQ(binary("int4range", Wire{}.int8(2).int32(4).int32(1)), "refused");
    EXPECT_EQ(binary("int4range", Wire{}.int8(2).int32(-1).int32(-1)), "refused");
    EXPECT_EQ(binary("int4range", Wire{}.int8(8 | 16).int8(0)), "refused");
}

TEST(MultirangeTest, ReadsText) {
    EXPECT_EQ(text("int4multirange", "{}"), "{}");
    EXPECT_EQ(text("int4multirange", "{[1,3),[5,7)}"), "{[1,3),[5,7)}");
    EXPECT_EQ(text("int4multirange", "{(,3),[5,)}"), "{(null,3),[5,null)}");
    EXPECT_EQ(text("tsmultirange", R"({["2000-01-01 00:00:01","2000-01-01 00:00:02")})"),
              "{[1000000,2000000)}");
}

TEST(MultirangeTest, ReadsBinary) {
    const std::string range = Wire{}.int8(2).int32(4).int32(1).int32(4).int32(3).bytes();
    EXPECT_EQ(binary("int4multirange", Wire{}.int32(2).sized(range).sized(range)), "{[1,3),[1,3)}");
    EXPECT_EQ(binary("int4multirange", Wire{}.int32(0)), "{}");
}

TEST(MultirangeTest, RefusesOtherBytes) {
    for (const auto bytes : {"", "{", "[1,3)", "{[1,3)", "{[1,3),}", "{,[1,3)}", "{[1,3)[5,7)}",
                             "{1,3}", "{[1,3);[5,7)}"}) {
        EXPECT_EQ(text("int4multirange", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("int4multirange", Wire{}.int32(-1)), "refused");
    EXPECT_EQ(binary("int4multirange", Wire{}.int32(1).int32(-1)), "refused");
    EXPECT_EQ(binary("int4multirange", Wire{}.int32(0).int8(0)), "refused");
    EXPECT_EQ(binary("int4multirange", "ab"), "refused");
}

}  // namespace
}  // namespace pgc
