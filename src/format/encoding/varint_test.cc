#include "format/encoding/varint.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace pgc {
namespace {

std::string varint(std::uint64_t value) {
    char bytes[kMaxVarint];
    return {bytes, write_varint(bytes, value)};
}

TEST(VarintTest, SevenBitsAByteTheLowestFirst) {
    EXPECT_EQ(varint(0), std::string(1, '\0'));
    EXPECT_EQ(varint(127), "\x7F");
    EXPECT_EQ(varint(128), "\x80\x01");
    EXPECT_EQ(varint(300), "\xAC\x02");
    EXPECT_EQ(varint(std::numeric_limits<std::uint64_t>::max()), std::string(9, '\xFF') + '\x01');
}

TEST(VarintTest, ItsSizeIsKnownBefore) {
    for (int bits = 0; bits < 64; ++bits) {
        const std::uint64_t value = std::uint64_t{1} << bits;
        EXPECT_EQ(varint_size(value), varint(value).size()) << value;
        EXPECT_EQ(varint_size(value - 1), varint(value - 1).size()) << value - 1;
    }
}

TEST(VarintTest, ZigzagPutsSmallMagnitudesFirst) {
    EXPECT_EQ(zigzag(0), 0U);
    EXPECT_EQ(zigzag(-1), 1U);
    EXPECT_EQ(zigzag(1), 2U);
    EXPECT_EQ(zigzag(std::numeric_limits<std::int64_t>::max()),
              std::numeric_limits<std::uint64_t>::max() - 1);
    EXPECT_EQ(zigzag(std::numeric_limits<std::int64_t>::min()),
              std::numeric_limits<std::uint64_t>::max());
}

TEST(VarintTest, FloatingPointHasItsLowestByteFirst) {
    char bytes[8];
    EXPECT_EQ(std::string(bytes, write_little_endian(bytes, 1.0F)), std::string("\0\0\x80\x3F", 4));
    EXPECT_EQ(std::string(bytes, write_little_endian(bytes, -2.0)),
              std::string("\0\0\0\0\0\0\0\xC0", 8));
}

}  // namespace
}  // namespace pgc
