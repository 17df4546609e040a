#include "base/words.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

enum class Way : int { there, back };
constexpr auto kWays =
    words_for<Way>({{"there", Way::there}, {"back", Way::back}, {"home", Way::back}});

TEST(WordsTest, WhatMayBeWrittenIsExactlyWhatStandsForSomething) {
    static_assert(kWays.all() == "there|back|home");
    EXPECT_EQ(kWays.find("there"), Way::there);
    EXPECT_EQ(kWays.find("home"), Way::back);
    EXPECT_EQ(kWays.find("Back"), std::nullopt);
    EXPECT_EQ(kWays.find(""), std::nullopt);
    EXPECT_EQ(kWays.find("there|back"), std::nullopt);
}

TEST(WordsTest, AValueHasOneWord) {
    EXPECT_EQ(kWays.word(Way::back), "back");
    constexpr auto one = words_for<bool>({{"yes", true}});
    EXPECT_EQ(one.word(false), "");
}

}  // namespace
}  // namespace pgc
