#include "core/name_regex.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

bool matches(std::string_view text, const std::string& name) {
    const auto regex = NameRegex::compile(text);
    EXPECT_TRUE(regex) << text << ": " << (regex ? "" : regex.error());
    return regex && regex->matches(name);
}

TEST(NameRegexTest, MatchesAsAWhole) {
    EXPECT_TRUE(matches("public.orders", "public.orders"));
    EXPECT_FALSE(matches("public.orders", "public.orders_old"));
    EXPECT_FALSE(matches("orders", "public.orders"));
    EXPECT_TRUE(matches("a|public.orders", "public.orders"));
    EXPECT_FALSE(matches("public.a|b", "public.ab"));
    EXPECT_TRUE(matches("^public.orders$", "public.orders"));
}

TEST(NameRegexTest, ADotIsAnyCharacterUnlessABackslashStandsBeforeIt) {
    EXPECT_TRUE(matches("public.orders", "public_orders"));
    EXPECT_FALSE(matches("public\\.orders", "public_orders"));
    EXPECT_TRUE(matches("public\\.o\\$", "public.o$"));
}

TEST(NameRegexTest, CaseDoesNotCount) {
    EXPECT_TRUE(matches("PUBLIC.orders", "public.Orders"));
}

TEST(NameRegexTest, UnderstandsWhatUsersOfJavaWrite) {
    EXPECT_TRUE(matches("(.*).purchaseorders", "shop.purchaseorders"));
    EXPECT_TRUE(matches("(?:a|b)\\..*", "b.t"));
    EXPECT_TRUE(matches("shop.order_\\d+", "shop.order_17"));
    EXPECT_FALSE(matches("shop.order_\\d+", "shop.order_x"));
    EXPECT_TRUE(matches("shop.\\w{2,3}", "shop.ab1"));
    EXPECT_FALSE(matches("shop.\\w{2,3}", "shop.ab12"));
    EXPECT_TRUE(matches("shop.\\S*?", "shop.x"));
    EXPECT_TRUE(matches("shop.[a-c\\d\\-]+", "shop.a-7"));
    EXPECT_FALSE(matches("shop.[^a-c]", "shop.b"));
    EXPECT_TRUE(matches("shop.[\\w.]+", "shop.a.b"));
    EXPECT_TRUE(matches("shop.(or)?ders+", "shop.derss"));
}

TEST(NameRegexTest, RefusesWhatItWouldReadOtherwiseThanJava) {
    for (const auto* text : {"a\\", "\\Qa\\E", "a\\b", "(a)\\1", "\\p{L}", "(?i)a",  "(?!a)b",
                             "a*+", "a++",     "a{2",  "a{2}+",  "[a[b]]", "[a&&b]", "[^^]",
                             "[]",  "[a",      "(a",   "a)",     "*a",     "a**",    "[\\]]"}) {
        const auto regex = NameRegex::compile(text);
        ASSERT_FALSE(regex) << text;
        EXPECT_NE(regex.error(), "") << text;
    }
}

}  // namespace
}  // namespace pgc
