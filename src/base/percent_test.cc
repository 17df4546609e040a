#include "base/percent.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

std::string encoded(std::string_view text) {
    std::string out = ">";
    percent_encode(out, text, is_plain_in_line);
    return out;
}

TEST(PercentTest, WritesWhatIsNotPlainAsTwoDigits) {
    EXPECT_EQ(encoded("a b%\n\x7F,é"), ">a%20b%25%0A%7F,é");
    EXPECT_EQ(encoded(""), ">");
}

TEST(PercentTest, GivesEveryByteBack) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    EXPECT_EQ(percent_decode(encoded(all).substr(1)), all);
    EXPECT_EQ(percent_decode("%2f%2F"), "//");
}

TEST(PercentTest, RefusesWhatIsCutOrNotHexadecimal) {
    for (const auto* text : {"%", "%2", "a%", "%G0", "%0G", "%+1", "% 1", "%-1"}) {
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace pgc
