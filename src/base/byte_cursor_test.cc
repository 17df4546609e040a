#include "base/byte_cursor.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using namespace std::string_view_literals;

TEST(ByteCursorTest, ReadsBigEndian) {
    ByteCursor in{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"sv};
    EXPECT_EQ(in.read<std::uint8_t>(), 0x01);
    EXPECT_EQ(in.read<std::uint16_t>(), 0x0203);
    EXPECT_EQ(in.read<std::uint32_t>(), 0x04050607U);
    EXPECT_EQ(in.read<std::uint64_t>(), 0x08090A0B0C0D0E0FU);
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_FALSE(in.overrun());
}

TEST(ByteCursorTest, ReadsSignedNumbers) {
    ByteCursor in{"\xFF\xFF\xFF\xFE"sv};
    EXPECT_EQ(in.read<std::int32_t>(), -2);
}

TEST(ByteCursorTest, GivesZerosPastTheEndAndSaysSoForGood) {
    ByteCursor in{"\x01\x02\x03"sv};
    EXPECT_EQ(in.read<std::uint32_t>(), 0U);
    EXPECT_TRUE(in.overrun());
    EXPECT_EQ(in.read<std::uint8_t>(), 0);  // though there were bytes left
    EXPECT_TRUE(in.take(1).empty());
    EXPECT_TRUE(in.overrun());
}

TEST(ByteCursorTest, TakesBytesAndLeavesTheRest) {
    ByteCursor in{"hello world"sv};
    EXPECT_EQ(in.take(5), "hello");
    EXPECT_EQ(in.rest(), " world");
    EXPECT_EQ(in.take(0), "");
    EXPECT_FALSE(in.overrun());
}

TEST(ByteCursorTest, ALyingLengthTakesNothing) {
    ByteCursor in{"abc"sv};
    EXPECT_TRUE(in.take(0xFFFFFFFF).empty());
    EXPECT_TRUE(in.overrun());
}

TEST(ByteCursorTest, StringsEndWithAZero) {
    ByteCursor in{"one\0\0two\0"sv};
    EXPECT_EQ(in.take_string(), "one");
    EXPECT_EQ(in.take_string(), "");
    EXPECT_EQ(in.take_string(), "two");
    EXPECT_FALSE(in.overrun());
}

TEST(ByteCursorTest, AStringWithoutItsZeroIsAnOverrun) {
    ByteCursor in{"endless"sv};
    EXPECT_EQ(in.take_string(), "");
    EXPECT_TRUE(in.overrun());
}

}  // namespace
}  // namespace pgc
