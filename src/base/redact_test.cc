#include "base/redact.h"

#include <gtest/gtest.h>

#include <vector>

namespace pgc {
namespace {

std::string hide(std::string_view text, std::initializer_list<std::string_view> secrets) {
    std::vector<Secret> all;
    for (const auto secret : secrets) all.emplace_back(std::string{secret});
    return redacted(text, all);
}

TEST(RedactTest, ASecretIsHiddenWhereverItStands) {
    EXPECT_EQ(hide("login of u with hush-hush failed: hush-hush", {"hush-hush"}),
              "login of u with *** failed: ***");
    EXPECT_EQ(hide("uhushu", {"hush"}), "u***u");
    EXPECT_EQ(hide("hushhush", {"hush"}), "******");
}

TEST(RedactTest, AShortOneMakesNoHolesInOtherWords) {
    EXPECT_EQ(hide("it is not supported", {"p"}), "it is not supported");
    EXPECT_EQ(hide("password=p, user=u", {"p"}), "password=***, user=u");
    EXPECT_EQ(hide("p", {"p"}), "***");
    EXPECT_EQ(hide("\"abc\" abcd xabc", {"abc"}), "\"***\" abcd xabc");
    EXPECT_EQ(hide("a=$x b$", {"$"}), "a=***x b***") << "a sign is no part of a word";
}

TEST(RedactTest, OfTwoThatOverlapTheLongerIsHiddenWhole) {
    EXPECT_EQ(hide("secret-and-more secret", {"secret", "secret-and-more"}), "*** ***");
}

TEST(RedactTest, WithoutSecretsNothingChanges) {
    EXPECT_EQ(hide("text", {}), "text");
    EXPECT_EQ(hide("text", {""}), "text");
    EXPECT_EQ(hide("", {"x"}), "");
}

}  // namespace
}  // namespace pgc
