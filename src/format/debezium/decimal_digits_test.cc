#include "format/debezium/decimal_digits.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace pgc {
namespace {

std::string at_scale(std::string_view text, int scale) {
    DecimalDigits digits;
    std::string out;
    return digits.at_scale(text, scale, out) ? out : "refused";
}

TEST(DecimalDigitsTest, AreTwosComplementAndAsShortAsTheyCanBe) {
    EXPECT_EQ(at_scale("0", 0), std::string("\0", 1));
    EXPECT_EQ(at_scale("1", 0), "\x01");
    EXPECT_EQ(at_scale("-1", 0), "\xFF");
    EXPECT_EQ(at_scale("127", 0), "\x7F");
    EXPECT_EQ(at_scale("128", 0), std::string("\0\x80", 2));
    EXPECT_EQ(at_scale("-128", 0), "\x80");
    EXPECT_EQ(at_scale("-129", 0), "\xFF\x7F");
    EXPECT_EQ(at_scale("256", 0), std::string("\x01\0", 2));
    EXPECT_EQ(at_scale("-256", 0), std::string("\xFF\0", 2));
}

TEST(DecimalDigitsTest, TheScaleSaysWhereThePointIs) {
    EXPECT_EQ(at_scale("1.5", 2), std::string("\0\x96", 2));
    EXPECT_EQ(at_scale("0.01", 2), "\x01");
    EXPECT_EQ(at_scale("1.50", 1), "\x0F") << "a zero at the end is nothing";
    EXPECT_EQ(at_scale("1.55", 1), "refused");
    EXPECT_EQ(at_scale("1200", -2), "\x0C");
    EXPECT_EQ(at_scale("1201", -2), "refused");
    EXPECT_EQ(at_scale("0", -2), std::string("\0", 1));
}

TEST(DecimalDigitsTest, TheShortestScaleLeavesOutZerosBehindThePoint) {
    DecimalDigits digits;
    std::string out;
    EXPECT_EQ(digits.shortest("12.3400", out), 2);
    EXPECT_EQ(out, "\x04\xD2");
    EXPECT_EQ(digits.shortest("1200", out), 0);
    EXPECT_EQ(digits.shortest("0.000", out), 0);
    EXPECT_EQ(out, std::string("\0", 1));
}

TEST(DecimalDigitsTest, WhatIsNoNumberIsRefused) {
    for (const char* text : {"", "-", ".", "NaN", "Infinity", "1e5", "1 ", "1.2.3", "--1"}) {
        EXPECT_EQ(at_scale(text, 0), "refused") << text;
    }
}

// Read back as the number it was.
TEST(DecimalDigitsTest, ManyNumbersComeBack) {
    std::mt19937_64 random{1};
    for (int i = 0; i < 10'000; ++i) {
        const auto number = static_cast<std::int64_t>(random()) >> (random() % 64);
        const std::string bytes = at_scale(std::to_string(number), 0);
        std::int64_t back = bytes.front() < 0 ? -1 : 0;
        for (const char c : bytes) {
            back = static_cast<std::int64_t>(static_cast<std::uint64_t>(back) << 8 |
                                             static_cast<unsigned char>(c));
        }
        ASSERT_EQ(back, number);
    }
}

// 10^n has one digit set: its bytes are known by long division.
TEST(DecimalDigitsTest, NumbersOfAnyLength) {
    std::string ten = "1";
    for (int power = 0; power < 400; ++power, ten += '0') {
        std::string digits = ten;
        std::string expected;
        while (digits.find_first_not_of('0') != std::string::npos) {
            int rest = 0;
            for (char& digit : digits) {
                const int here = rest * 10 + (digit - '0');
                digit = static_cast<char>('0' + here / 256);
                rest = here % 256;
            }
            expected.insert(expected.begin(), static_cast<char>(rest));
        }
        if (static_cast<unsigned char>(expected.front()) >= 0x80) {
            expected.insert(expected.begin(), '\0');
        }
        ASSERT_EQ(at_scale(ten, 0), expected) << power;
        ASSERT_EQ(at_scale("1", power), expected) << power;
    }
}

}  // namespace
}  // namespace pgc
