#include "postgres/types/numeric.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

constexpr std::uint16_t kMinus = 0x4000;

std::string numeric(int weight, std::uint16_t sign, int scale, std::initializer_list<int> digits) {
    Wire wire;
    wire.int16(static_cast<std::int16_t>(digits.size())).int16(static_cast<std::int16_t>(weight));
    wire.put(sign).int16(static_cast<std::int16_t>(scale));
    for (const int digit : digits) {
        wire.int16(static_cast<std::int16_t>(digit));
    }
    return binary("numeric", wire);
}

TEST(NumericTest, TextIsKeptAsItIs) {
    for (const auto bytes : {"0", "-0.10", "123456789012345678901234567890.000", "NaN", "Infinity",
                             "-Infinity", "1"}) {
        EXPECT_EQ(text("numeric", bytes), "'" + std::string{bytes} + "'");
    }
}

TEST(NumericTest, RefusesTextsThatAreNoNumbers) {
    for (const auto bytes : {"", "-", ".", "1.", ".5", "1.5.", "1e5", "+1", "nan", "inf", "1 ",
                             "--1", "-NaN", "1,5"}) {
        EXPECT_EQ(text("numeric", bytes), "refused") << bytes;
    }
}

TEST(NumericTest, ReadsBinaryIntegers) {
    EXPECT_EQ(numeric(0, 0, 0, {}), "'0'");
    EXPECT_EQ(numeric(0, 0, 0, {7}), "'7'");
    EXPECT_EQ(numeric(0, 0, 0, {42}), "'42'");
    EXPECT_EQ(numeric(0, 0, 0, {420}), "'420'");
    EXPECT_EQ(numeric(0, 0, 0, {9999}), "'9999'");
    EXPECT_EQ(numeric(1, 0, 0, {1, 1}), "'10001'");
    EXPECT_EQ(numeric(1, kMinus, 0, {12, 3456}), "'-123456'");
}

TEST(NumericTest, TrailingZeroDigitsAreNotSentButShown) {
    EXPECT_EQ(numeric(1, 0, 0, {1}), "'10000'");
    EXPECT_EQ(numeric(3, 0, 0, {5}), "'5000000000000'");
}

TEST(NumericTest, ShowsAsManyDecimalsAsTheScaleSays) {
    EXPECT_EQ(numeric(0, 0, 2, {12, 3400}), "'12.34'");
    EXPECT_EQ(numeric(0, 0, 1, {12, 3000}), "'12.3'");
    EXPECT_EQ(numeric(0, 0, 6, {12, 3400}), "'12.340000'");
    EXPECT_EQ(numeric(0, 0, 5, {0, 1, 5000}), "'0.00015'");
    EXPECT_EQ(numeric(0, 0, 3, {}), "'0.000'");
}

TEST(NumericTest, ReadsSmallFractions) {
    EXPECT_EQ(numeric(-1, 0, 4, {1}), "'0.0001'");
    EXPECT_EQ(numeric(-2, 0, 8, {1}), "'0.00000001'");
    EXPECT_EQ(numeric(-2, kMinus, 6, {100}), "'-0.000001'");
    EXPECT_EQ(numeric(-3, 0, 10, {100}), "'0.0000000001'");
}

TEST(NumericTest, ReadsTheSpecialValues) {
    EXPECT_EQ(numeric(0, 0xC000, 0, {}), "'NaN'");
    EXPECT_EQ(numeric(0, 0xD000, 0, {}), "'Infinity'");
    EXPECT_EQ(numeric(0, 0xF000, 0, {}), "'-Infinity'");
}

TEST(NumericTest, ReadsTheLargestThereIs) {
    const std::string shown = numeric(32767, 0, 16383, {1});
    EXPECT_EQ(shown.size(), 2 + 1 + 32767 * 4 + 1 + 16383);
    EXPECT_TRUE(shown.starts_with("'10000"));
    EXPECT_TRUE(shown.ends_with("0.") || shown.find("0.0") != std::string::npos);
}

TEST(NumericTest, RefusesBinaryThatIsNone) {
    EXPECT_EQ(binary("numeric", ""), "refused");
    EXPECT_EQ(binary("numeric", Wire{}.int16(0).int16(0).int16(0)), "refused");
    EXPECT_EQ(binary("numeric", Wire{}.int16(2).int16(0).int16(0).int16(0).int16(1)), "refused");
    EXPECT_EQ(binary("numeric", Wire{}.int16(0).int16(0).int16(0).int16(0).int16(1)), "refused");
    EXPECT_EQ(binary("numeric", Wire{}.int16(-1).int16(0).int16(0).int16(0).int16(1)), "refused");
    EXPECT_EQ(numeric(0, 0x1234, 0, {1}), "refused");
    EXPECT_EQ(numeric(0, 0, 0, {10000}), "refused");
    EXPECT_EQ(numeric(0, 0, 0, {-1}), "refused");
    EXPECT_EQ(numeric(0, 0, 0x4000, {1}), "refused");
}

TEST(MoneyTest, IsADecimalInBothForms) {
    const std::pair<std::int64_t, std::pair<const char*, const char*>> cases[]{
        {0, {"$0.00", "0.00"}},
        {-1, {"-$0.01", "-0.01"}},
        {123456, {"$1,234.56", "1234.56"}},
        {INT64_MIN, {"-$92,233,720,368,547,758.08", "-92233720368547758.08"}},
        {INT64_MAX, {"$92,233,720,368,547,758.07", "92233720368547758.07"}},
    };
    for (const auto& [amount, texts] : cases) {
        const std::string shown = std::string{"'"} + texts.second + "'";
        EXPECT_EQ(binary("money", Wire{}.int64(amount)), shown);
        EXPECT_EQ(text("money", texts.first), shown);
    }
}

TEST(MoneyTest, WhatAnotherLocaleWritesIsNotGuessedAt) {
    for (const auto* other : {"", "$", "-$", "1.00", "$.00", "$1", "$1.0", "$1.0,", "$1,00",
                              "EUR 1.00", "($1.00)", "$1.000", "$1.00 "}) {
        EXPECT_EQ(text("money", other), "refused") << other;
    }
    EXPECT_EQ(binary("money", Wire{}.int32(1)), "refused");
}

}  // namespace
}  // namespace pgc
