#include "observe/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class CapturedLines final : public LogLines {
public:
    void write(std::string_view line) noexcept override {
        const std::lock_guard lock(mutex_);
        lines.emplace_back(line);
    }
    std::vector<std::string> lines;

private:
    std::mutex mutex_;
};

class LogTest : public ::testing::Test {
protected:
    Log& open(LogOptions options = {}) { return log_.emplace(std::move(options), out_, clock_); }
    Log& open_json() { return open({.format = LogFormat::json}); }
    const std::vector<std::string>& lines() const { return out_.lines; }
    const std::string& only_line() const {
        EXPECT_THAT(out_.lines, SizeIs(1));
        return out_.lines.at(0);
    }

    ManualClock clock_;
    CapturedLines out_;
    std::optional<Log> log_;
};

TEST_F(LogTest, WritesPlainLinesForPeople) {
    const auto logger = open().logger("postgres").with({{"pipeline", "shop"}});
    logger.info("streaming", {{"from", Lsn{0x16B3748}}, {"attempt", 3}});
    EXPECT_EQ(only_line(),
              "2026-11-21T02:57:05.123Z info     postgres  streaming  "
              "pipeline=shop from=0/16B3748 attempt=3\n");
}

TEST_F(LogTest, WritesJsonLinesForPrograms) {
    open_json().logger("sink").warning("slow", {{"ms", 12.5}, {"full", true}, {"n", 7U}});
    EXPECT_EQ(only_line(),
              R"({"time":"2026-11-21T02:57:05.123Z","level":"warning","module":"sink",)"
              R"("message":"slow","ms":12.5,"full":true,"n":7})"
              "\n");
}

TEST_F(LogTest, WritesTheExtremesOfEveryKindOfNumber) {
    using I = std::numeric_limits<std::int64_t>;
    using U = std::numeric_limits<std::uint64_t>;
    open_json().logger("m").info("x", {{"a", I::min()},
                                       {"b", U::max()},
                                       {"c", std::numeric_limits<double>::infinity()},
                                       {"d", std::numeric_limits<double>::quiet_NaN()},
                                       {"e", Lsn{U::max()}}});
    EXPECT_THAT(only_line(), HasSubstr(R"("a":-9223372036854775808,"b":18446744073709551615,)"
                                       R"("c":"Infinity","d":"NaN","e":"FFFFFFFF/FFFFFFFF")"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
    const auto logger = open().logger("cli");
    logger.debug("unseen");
    logger.trace("unseen");
    logger.info("seen");
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("  seen")));
    EXPECT_FALSE(logger.enabled(LogLevel::debug));
    EXPECT_TRUE(logger.enabled(LogLevel::error));
}

TEST_F(LogTest, KnowsLevelsOfModulesAndTheirParts) {
    LogOptions options;
    options.levels.level = LogLevel::warning;
    options.levels.modules = {{"postgres", LogLevel::debug}, {"postgres.wire", LogLevel::error}};
    Log& log = open(options);
    EXPECT_TRUE(log.logger("postgres").enabled(LogLevel::debug));
    EXPECT_TRUE(log.logger("postgres.stream").enabled(LogLevel::debug));
    EXPECT_FALSE(log.logger("postgres.wire").enabled(LogLevel::warning));
    EXPECT_FALSE(log.logger("postgresql").enabled(LogLevel::info));
}

TEST_F(LogTest, ChangesLevelsOfLoggersThatExist) {
    Log& log = open();
    const auto logger = log.logger("sink").with({{"a", 1}});
    log.set_levels({.level = LogLevel::error, .modules = {{"sink", LogLevel::trace}}});
    EXPECT_TRUE(logger.enabled(LogLevel::trace));
    EXPECT_FALSE(log.logger("cli").enabled(LogLevel::warning));
}

TEST_F(LogTest, ALoggerFromNowhereWritesNothing) {
    const Logger logger;
    logger.error("unheard", {{"a", 1}});
    logger.with({{"a", "b"}}).for_module("x").failure(LogLevel::error, "m", Error{});
    EXPECT_FALSE(logger.enabled(LogLevel::error));
    EXPECT_FALSE(logger.structured());
}

TEST_F(LogTest, TheLaterOfTwoFieldsWithOneKeyCounts) {
    const auto logger = open_json().logger("m").with({{"a", 1}, {"b", 2}}).with({{"a", 3}});
    logger.info("x", {{"b", 4}});
    EXPECT_THAT(only_line(), HasSubstr(R"("message":"x","a":3,"b":4})"));
}

TEST_F(LogTest, BoundTextIsACopy) {
    std::string name = "short-lived text that is longer than any small buffer";
    const auto logger = open().logger("m").with({{"name", name}});
    name.assign(name.size(), '!');
    logger.info("x");
    EXPECT_THAT(only_line(), HasSubstr("short-lived"));
}

TEST_F(LogTest, FieldsCannotPassForOurs) {
    open_json().logger("m").info("x", {{"level", "error"}, {"time", "never"}});
    EXPECT_THAT(only_line(), HasSubstr(R"("level_":"error","time_":"never"})"));
}

TEST_F(LogTest, KeepsHostileTextOnOnePlainLine) {
    open().logger("m").info("a\nb\x1b[2J", {{"k", "c\nd \"e\" \\ \xff \xc2\x9b"}, {"empty", ""}});
    EXPECT_THAT(only_line(), EndsWith(R"(a\nb\x1b[2J  k="c\nd \"e\" \\ \xff \u009b" empty="")"
                                      "\n"));
}

TEST_F(LogTest, KeepsHostileTextInOneJsonObject) {
    open_json().logger("m").info("a\n\"\\", {{"k\"", std::string_view{"\0\x1f\x7f\xc3(é", 7}}});
    EXPECT_THAT(only_line(), HasSubstr("\"message\":\"a\\n\\\"\\\\\",\"k\\\"\":"
                                       "\"\\u0000\\u001f\\u007f\xEF\xBF\xBD(é\"}"));
}

TEST_F(LogTest, CutsTextThatIsTooLongBetweenCharacters) {
    std::string text(Log::kText_max - 1, 'x');
    text += "ééé";
    open_json().logger("m").info("x", {{"k", text}});
    EXPECT_THAT(only_line(), HasSubstr("xxx[cut]\"}"));
    EXPECT_THAT(only_line(), Not(HasSubstr("\xEF\xBF\xBD")));
}

TEST_F(LogTest, TellsAnErrorWithItsAddressAndHint) {
    const Error error = stop(Error::Category::permission, "may not read")
                            .at("public.orders")
                            .with_hint("GRANT SELECT");
    open_json().logger("m").failure(LogLevel::error, "stopped", error, {{"attempt", 2}});
    EXPECT_THAT(only_line(),
                HasSubstr(R"("message":"stopped","category":"permission","what":"may not read",)"
                          R"("where":"public.orders","hint":"GRANT SELECT","attempt":2)"));
}

TEST_F(LogTest, SaysWhetherFieldsAreOfUse) {
    EXPECT_FALSE(open().logger("m").structured());
    EXPECT_TRUE(open_json().logger("m").structured());
}

TEST_F(LogTest, CountsRepeatedLinesAndTellsOnce) {
    const auto logger = open({.same_lines_per_second_max = 2}).logger("m");
    for (int i = 0; i < 7; ++i) {
        logger.info("again", {{"i", i}});
    }
    EXPECT_THAT(lines(), SizeIs(2));
    clock_.advance(std::chrono::seconds{1});
    logger.info("other");
    ASSERT_THAT(lines(), SizeIs(4));
    EXPECT_THAT(lines()[2], HasSubstr("again  not_written=5"));
    clock_.advance(std::chrono::seconds{1});
    logger.info("again");
    ASSERT_THAT(lines(), SizeIs(5));
    EXPECT_THAT(lines()[4], Not(HasSubstr("not_written")));
}

TEST_F(LogTest, DifferentLinesDoNotCountAsRepeated) {
    Log& log = open({.same_lines_per_second_max = 1});
    log.logger("a").info("x");
    log.logger("b").info("x");
    log.logger("a").info("y");
    log.logger("a").info("x");
    EXPECT_THAT(lines(), SizeIs(3));
}

TEST_F(LogTest, ManyDifferentLinesAtOnceAllPass) {
    const auto logger = open({.same_lines_per_second_max = 1}).logger("m");
    const std::size_t count = LogLimiter::kRemembered + 50;
    for (std::size_t i = 0; i < count; ++i) {
        logger.info(std::to_string(i));
    }
    EXPECT_THAT(lines(), SizeIs(count));
}

TEST_F(LogTest, ManyThreadsWriteWholeLines) {
    Log& log = open({.same_lines_per_second_max = 1'000'000});
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&log, t] {
                const auto logger = log.logger("m").with({{"thread", t}});
                for (int i = 0; i < 200; ++i) {
                    logger.info("line", {{"i", i}});
                }
            });
        }
        log.set_levels({.level = LogLevel::debug, .modules = {}});
    }
    EXPECT_THAT(lines(), SizeIs(800));
    EXPECT_THAT(lines(), ::testing::Each(EndsWith("\n")));
}

TEST(LogOptionsTest, ReadsLevelsFromOneWord) {
    const auto levels = parse_log_levels("info, postgres=debug,,kafka=warn");
    ASSERT_TRUE(levels);
    EXPECT_EQ(levels->level, LogLevel::info);
    EXPECT_EQ(levels->of("postgres"), LogLevel::debug);
    EXPECT_EQ(levels->of("kafka"), LogLevel::warning);
}

TEST(LogOptionsTest, GivenLevelsStandOverTheDefaults) {
    const LogLevels defaults{.level = LogLevel::error,
                             .modules = {{"a", LogLevel::debug}, {"b", LogLevel::debug}}};
    const auto levels = parse_log_levels("b=trace", defaults);
    ASSERT_TRUE(levels);
    EXPECT_EQ(levels->level, LogLevel::error);
    EXPECT_EQ(levels->of("a"), LogLevel::debug);
    EXPECT_EQ(levels->of("b"), LogLevel::trace);
    EXPECT_EQ(parse_log_levels("", defaults), defaults);
}

TEST(LogOptionsTest, TellsAllMistakesAtOnce) {
    const auto levels = parse_log_levels("loud,postgres=,=info,Bad Name=info");
    ASSERT_FALSE(levels);
    EXPECT_EQ(levels.error().category, Error::Category::configuration);
    EXPECT_EQ(levels.error().what,
              "\"loud\" is not a log level; \"\" is not a log level; \"\" is not a module name; "
              "\"Bad Name\" is not a module name");
    EXPECT_THAT(levels.error().hint, HasSubstr("info,postgres=debug"));
}

TEST(LogOptionsTest, EveryLevelReadsItsOwnName) {
    for (const auto level :
         {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        EXPECT_EQ(parse_log_level(name(level)), level);
    }
    EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
    EXPECT_EQ(kLogFormats.find("plain"), LogFormat::plain);
    EXPECT_EQ(kLogFormats.find("json"), LogFormat::json);
    EXPECT_EQ(kLogFormats.find("xml"), std::nullopt);
}

}  // namespace
}  // namespace pgc
