#include "format/json/number.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace pgc {
namespace {

std::string integer(std::int64_t value) {
    char text[kMaxIntegerText];
    return {text, write_integer(text, value)};
}

template <typename Real>
std::string real(Real value) {
    char text[kMaxRealText];
    return {text, write_real(text, value)};
}

TEST(JsonNumberTest, WritesIntegersOfEveryLength) {
    std::uint64_t value = 1;
    for (int digits = 1; digits <= 18; ++digits, value *= 10) {
        for (const std::uint64_t near : {value - 1, value, value + 1, value * 9}) {
            const auto number = static_cast<std::int64_t>(near);
            EXPECT_EQ(integer(number), std::to_string(number));
            EXPECT_EQ(integer(-number), std::to_string(-number));
        }
    }
}

TEST(JsonNumberTest, WritesTheLargestAndTheSmallestInteger) {
    EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
    EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(JsonNumberTest, WritesRealsAsShortAsTheyReadBack) {
    EXPECT_EQ(real(0.1), "0.1");
    EXPECT_EQ(real(0.1F), "0.1");
    EXPECT_EQ(real(1e22), "1e+22");
    EXPECT_EQ(real(-2.5), "-2.5");
    EXPECT_EQ(real(5e-324), "5e-324");
    EXPECT_EQ(real(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(JsonNumberTest, EveryRealItWritesIsANumberToJson) {
    for (const double value : {0.0, -0.0, 1.0, 1e-7, 123456789.0, 1e300, -1.5e-300, 0.3}) {
        EXPECT_TRUE(is_json_number(real(value))) << value;
    }
}

TEST(JsonNumberTest, KnowsNumbers) {
    for (const std::string_view text :
         {"0", "-0", "1", "-12", "0.5", "10.250", "1e5", "1E+5", "2.5e-10", "-0.0",
          "123456789012345678901234567890.123456789"}) {
        EXPECT_TRUE(is_json_number(text)) << text;
    }
}

TEST(JsonNumberTest, KnowsWhatIsNoNumber) {
    for (const std::string_view text : {"", "-", "+1", ".5", "5.", "01", "-01", "1e", "1e+", "NaN",
                                        "Infinity", "0x10", "1 ", " 1", "1.2.3", "--1", "1,5"}) {
        EXPECT_FALSE(is_json_number(text)) << text;
    }
}

TEST(JsonNumberTest, StopsBehindANumber) {
    const std::string_view text = "-12.5e3,";
    EXPECT_EQ(skip_json_number(text.data(), text.data() + text.size()), text.data() + 7);
}

}  // namespace
}  // namespace pgc
