#include "cli/files_arguments.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "observe/wall_text.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kAsked{1'796'000'000'000'000};

CommandLine line_of(std::initializer_list<std::pair<const char*, const char*>> flags,
                    std::vector<std::string> tables = {}) {
    CommandLine line;
    for (const auto& [name, value] : flags) line.flags[name] = value;
    line.arguments = std::move(tables);
    return line;
}

std::string since(const char* text) {
    const auto at = parse_since(text, kAsked);
    std::string shown;
    if (at) append_wall_time(shown, *at);
    return shown;
}

TEST(FilesArgumentsTest, AnAgeHasAUnit) {
    EXPECT_EQ(parse_age("90s"), 90s);
    EXPECT_EQ(parse_age("30m"), 30min);
    EXPECT_EQ(parse_age("12h"), 12h);
    EXPECT_EQ(parse_age("7d"), 168h);
    for (const char* text :
         {"", "d", "7", "7w", "-7d", "7 d", "1.5h", "99999999999999999999d", "99999999999999d"}) {
        EXPECT_EQ(parse_age(text), std::nullopt) << text;
    }
}

TEST(FilesArgumentsTest, ATimeIsADayAMomentOrAnAge) {
    EXPECT_EQ(since("2026-11-30"), "2026-11-30T00:00:00.000Z");
    EXPECT_EQ(since("2026-11-30T17:45:00Z"), "2026-11-30T17:45:00.000Z");
    EXPECT_EQ(since("2026-11-30T17:45:00.250Z"), "2026-11-30T17:45:00.250Z");
    EXPECT_EQ(parse_since("1h", kAsked)->unix_us, kAsked.unix_us - 3'600'000'000);
    for (const char* text : {"", "yesterday", "2026-11", "17:45", "2026-11-30 17:45:00"}) {
        EXPECT_EQ(since(text), "") << text;
    }
}

TEST(FilesArgumentsTest, FlagsSayWhatMayGo) {
    const auto rule = given_rule(
        line_of({{"older-than", "1h"}, {"keep", "3"}, {"loaded", "true"}}, {"shop.*"}), {}, kAsked);
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->closed_before, WallTime{kAsked.unix_us - 3'600'000'000});
    EXPECT_EQ(rule->keep, 3U);
    EXPECT_TRUE(rule->only_loaded);
    EXPECT_EQ(rule->tables.size(), 1U);
    EXPECT_EQ(rule_text(line_of({{"older-than", "1h"}, {"loaded", "true"}}), {}),
              "files clean: older than 1h; loaded");
}

TEST(FilesArgumentsTest, WithoutThemTheConfigurationDoes) {
    const FileRetentionConfig configured{.batches = 5};
    const auto rule = given_rule(line_of({}), configured, kAsked);
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->keep, 5U);
    EXPECT_EQ(rule_text(line_of({}), configured), "files clean: all but 5 batches of a table");
    EXPECT_TRUE(given_rule(line_of({}), {}, kAsked)->says_nothing());
    EXPECT_TRUE(
        given_rule(line_of({{"unregistered", "true"}}), configured, kAsked)->says_nothing());
    // A flag replaces all of it.
    EXPECT_EQ(given_rule(line_of({{"loaded", "true"}}), configured, kAsked)->keep, std::nullopt);
}

TEST(FilesArgumentsTest, WhatCannotBeIsSaid) {
    EXPECT_FALSE(given_rule(line_of({{"older-than", "soon"}}), {}, kAsked));
    EXPECT_FALSE(given_rule(line_of({{"keep", "-1"}}), {}, kAsked));
    EXPECT_FALSE(given_rule(line_of({{"keep", "1"}}, {"orders"}), {}, kAsked));
    EXPECT_FALSE(given_tables(line_of({}, {"a.b.c"})));
}

}  // namespace
}  // namespace pgc
