#include "format/connect/java_order.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

std::string order(const std::vector<std::string_view>& keys, std::initializer_list<JavaMap> maps) {
    std::string text;
    for (const std::size_t key : java_order(keys, maps)) {
        text += std::string{text.empty() ? "" : " "} + std::string{keys[key]};
    }
    return text;
}

// "a" … hash to 97 …, so with 16 buckets "a" is in the second and "p" in the first.
TEST(JavaOrderTest, KeysComeBucketByBucket) {
    EXPECT_EQ(order({"b", "a", "p"}, {JavaMap::grown}), "p a b");
}

TEST(JavaOrderTest, ABucketKeepsTheOrderInWhichItsKeysCame) {
    // "Aa" and "BB" have one hash, 2112.
    EXPECT_EQ(order({"BB", "Aa"}, {JavaMap::grown}), "BB Aa");
    EXPECT_EQ(order({"Aa", "BB"}, {JavaMap::grown}), "Aa BB");
}

TEST(JavaOrderTest, ACopyHasItsOwnBuckets) {
    // Three keys are copied into eight buckets (3 / 0.75 + 1 = 5): "a" is in the second, "h" in the
    // first, "i" after "a".
    EXPECT_EQ(order({"i", "h", "a"}, {JavaMap::copied}), "h i a");
    EXPECT_EQ(order({"i", "h", "a"}, {JavaMap::grown}), "a h i");
    EXPECT_EQ(order({"i", "h", "a"}, {JavaMap::grown, JavaMap::copied}), "h a i");
}

TEST(JavaOrderTest, AMapMadeForItsSizeGrowsAllTheSame) {
    // Two keys: room for two, then four buckets. "e" (101) is in the second, "d" (100) in the
    // first.
    EXPECT_EQ(order({"e", "d"}, {JavaMap::sized}), "d e");
    // One key beyond the twelve that sixteen buckets take: 32 buckets, where "a" (97) is in the
    // second and "q" (113) in the eighteenth.
    EXPECT_EQ(
        order({"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}, {JavaMap::grown}),
        "a b c d e f g h i j k l q");
    EXPECT_EQ(order({"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, {JavaMap::grown}),
              "q a b c d e f g h i j k");
}

TEST(JavaOrderTest, HashesAreThoseOfUtf16) {
    // U+1F600 is D83D DE00: 0xD83D * 31 + 0xDE00 = 0x1B0D63, mixed with its upper half 0x1B0D78:
    // the ninth of 16 buckets, as "h". "\xC3\xA9" is U+00E9, the tenth.
    EXPECT_EQ(order({"\xF0\x9F\x98\x80", "\xC3\xA9", "j", "h"}, {JavaMap::grown}),
              "\xF0\x9F\x98\x80 h \xC3\xA9 j");
    EXPECT_EQ(order({}, {JavaMap::grown, JavaMap::copied}), "");
}

}  // namespace
}  // namespace pgc
