#include "postgres/types/numbers.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

TEST(BooleanTest, ReadsText) {
    EXPECT_EQ(text("bool", "t"), "true");
    EXPECT_EQ(text("bool", "f"), "false");
}

TEST(BooleanTest, ReadsBinary) {
    EXPECT_EQ(binary("bool", Wire{}.int8(1)), "true");
    EXPECT_EQ(binary("bool", Wire{}.int8(0)), "false");
}

TEST(BooleanTest, RefusesOtherBytes) {
    for (const auto bytes : {"", "true", "T", "1", "tt"}) {
        EXPECT_EQ(text("bool", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("bool", ""), "refused");
    EXPECT_EQ(binary("bool", "ab"), "refused");
}

TEST(IntegerTest, ReadsTheLimitsOfEveryWidthFromText) {
    EXPECT_EQ(text("int2", "-32768"), "-32768");
    EXPECT_EQ(text("int2", "32767"), "32767");
    EXPECT_EQ(text("int4", "-2147483648"), "-2147483648");
    EXPECT_EQ(text("int4", "2147483647"), "2147483647");
    EXPECT_EQ(text("int8", "-9223372036854775808"), "-9223372036854775808");
    EXPECT_EQ(text("int8", "9223372036854775807"), "9223372036854775807");
    EXPECT_EQ(text("oid", "4294967295"), "4294967295");
    EXPECT_EQ(text("xid", "4294967295"), "4294967295");
    EXPECT_EQ(text("cid", "0"), "0");
}

TEST(IntegerTest, ReadsBinary) {
    EXPECT_EQ(binary("int2", Wire{}.int16(-2)), "-2");
    EXPECT_EQ(binary("int4", Wire{}.int32(-3)), "-3");
    EXPECT_EQ(binary("int8", Wire{}.int64(-4)), "-4");
    EXPECT_EQ(binary("oid", Wire{}.int32(-1)), "4294967295");
    EXPECT_EQ(binary("xid", Wire{}.int32(-1)), "4294967295");
}

TEST(IntegerTest, RefusesWhatDoesNotFit) {
    EXPECT_EQ(text("int2", "32768"), "refused");
    EXPECT_EQ(text("int4", "2147483648"), "refused");
    EXPECT_EQ(text("int8", "9223372036854775808"), "refused");
    EXPECT_EQ(text("oid", "-1"), "refused");
    EXPECT_EQ(text("oid", "4294967296"), "refused");
}

TEST(IntegerTest, RefusesOtherTexts) {
    for (const auto bytes : {"", "-", "+1", " 1", "1 ", "1.0", "x", "0x1"}) {
        EXPECT_EQ(text("int4", bytes), "refused") << bytes;
    }
}

TEST(IntegerTest, RefusesOtherSizes) {
    EXPECT_EQ(binary("int4", ""), "refused");
    EXPECT_EQ(binary("int4", Wire{}.int16(1)), "refused");
    EXPECT_EQ(binary("int4", Wire{}.int64(1)), "refused");
}

TEST(RealTest, ReadsText) {
    EXPECT_EQ(text("float8", "1.5"), "1.5");
    EXPECT_EQ(text("float8", "-0"), "-0");
    EXPECT_EQ(text("float8", "1e+100"), "1e+100");
    EXPECT_EQ(text("float8", "5e-324"), "5e-324");
    EXPECT_EQ(text("float8", "1.7976931348623157e+308"), "1.7976931348623157e+308");
    EXPECT_EQ(text("float4", "3.4028235e+38"), "3.4028234663852886e+38");
}

TEST(RealTest, LongAndShortFormsGiveTheSameValue) {
    EXPECT_EQ(text("float8", "0.10000000000000001"), text("float8", "0.1"));
    EXPECT_EQ(text("float4", "0.100000001"), text("float4", "0.1"));
    EXPECT_EQ(text("float8", "4.9406564584124654e-324"), text("float8", "5e-324"));
}

TEST(RealTest, ReadsTheSpecialValues) {
    for (const auto type : {"float4", "float8"}) {
        EXPECT_EQ(text(type, "NaN"), "NaN");
        EXPECT_EQ(text(type, "Infinity"), "inf");
        EXPECT_EQ(text(type, "-Infinity"), "-inf");
    }
}

TEST(RealTest, ReadsBinary) {
    EXPECT_EQ(binary("float4", Wire{}.real32(0.1F)), text("float4", "0.1"));
    EXPECT_EQ(binary("float8", Wire{}.real64(0.1)), "0.1");
    EXPECT_EQ(binary("float8", Wire{}.real64(std::numeric_limits<double>::infinity())), "inf");
    EXPECT_EQ(binary("float8", Wire{}.real64(std::numeric_limits<double>::quiet_NaN())), "NaN");
    EXPECT_EQ(binary("float4", Wire{}.real32(-std::numeric_limits<float>::infinity())), "-inf");
}

TEST(RealTest, RefusesOtherBytes) {
    for (const auto bytes : {"", "nan", "inf", "infinity", "-", ".", "1.5x", "1e", "0x1p3", "x1"}) {
        EXPECT_EQ(text("float8", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("float8", Wire{}.int32(1)), "refused");
    EXPECT_EQ(binary("float4", Wire{}.int64(1)), "refused");
}

}  // namespace
}  // namespace pgc
