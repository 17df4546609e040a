#include "pipeline/stall_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class StallWatchTest : public testing::Test {
protected:
    void look() {
        watch.look(
            seen, [](WaitsOn on) { return "words of the " + std::string{name(on)}; }, clock.now());
    }
    // Turns of a loop that goes on: ten in a second.
    void looks_for(Duration time) {
        for (Duration passed{0}; passed < time; passed += 100ms) {
            clock.advance(100ms);
            look();
        }
    }
    void is_working() { seen = {.streams = true, .moves = true}; }
    void is_idle() { seen = {.streams = true, .moves = true, .idle = true}; }
    void is_held_up_by(WaitsOn on, std::uint64_t mark = 1) {
        is_working();
        seen.obstacles.add(on, mark);
    }
    void is_silent(Duration lasted, bool answers = true) {
        is_working();
        seen.silence = SourceSilence{.lasted = lasted,
                                     .log_bytes = 5'000'000,
                                     .answers = answers,
                                     .busy_with = "Lock: tuple"};
    }
    StreamState state() const { return watch.condition().state; }
    std::size_t lines_with(std::string_view text) const {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = lines.text.find(text, at)) != std::string::npos; ++at) {
            ++count;
        }
        return count;
    }

    ManualClock clock;
    LogText lines;
    Log log{{}, lines, clock};
    StallWatch watch{log.logger("pipeline")};
    StallWatch::Seen seen;
};

TEST_F(StallWatchTest, WithoutAStreamThereIsNoState) {
    looks_for(100s);
    EXPECT_EQ(state(), StreamState::none);
}

TEST_F(StallWatchTest, WhatHasNothingToDoIsIdleForAsLongAsItLikes) {
    is_idle();
    look();
    EXPECT_EQ(state(), StreamState::working) << "a moment ago it may have been";
    looks_for(1h);
    EXPECT_EQ(state(), StreamState::idle);
    is_working();
    look();
    EXPECT_EQ(state(), StreamState::working);
    EXPECT_EQ(lines.text, "") << "neither is worth a line";
}

class EachThatMayBlock : public StallWatchTest, public testing::WithParamInterface<WaitsOn> {};

TEST_P(EachThatMayBlock, IsNamedOnceAfterTenSecondsAndOnceWhenItMovesAgain) {
    is_held_up_by(GetParam());
    look();
    looks_for(StallWatch::kBlocked_after - 100ms);
    EXPECT_EQ(state(), StreamState::working);
    looks_for(100ms);
    EXPECT_EQ(state(), StreamState::blocked);
    EXPECT_EQ(watch.condition().waits_on, GetParam());
    EXPECT_EQ(watch.condition().waits_for, "words of the " + std::string{name(GetParam())});
    EXPECT_EQ(clock.now() - watch.condition().since, StallWatch::kBlocked_after);
    looks_for(10min);
    EXPECT_EQ(lines_with("the stream is blocked"), 1U);
    EXPECT_EQ(lines_with("hint="), 1U);
    EXPECT_EQ(lines_with("by=" + std::string{name(GetParam())}), 1U);

    is_held_up_by(GetParam(), 2);
    look();
    EXPECT_EQ(state(), StreamState::working);
    EXPECT_EQ(lines_with("the stream moves again"), 1U);
    EXPECT_THAT(lines.text, HasSubstr("was=blocked"));
    EXPECT_THAT(lines.text, HasSubstr("for_ms=610000"));
}

INSTANTIATE_TEST_SUITE_P(Of, EachThatMayBlock,
                         testing::Values(WaitsOn::source, WaitsOn::sink, WaitsOn::format,
                                         WaitsOn::store),
                         [](const auto& on) { return std::string{name(on.param)}; });

TEST_F(StallWatchTest, WhatIsSlowIsNoObstacle) {
    for (std::uint64_t mark = 0; mark < 100; ++mark) {
        is_held_up_by(WaitsOn::sink, mark);
        looks_for(9s);
    }
    EXPECT_EQ(state(), StreamState::working);
    EXPECT_EQ(lines.text, "");
}

TEST_F(StallWatchTest, OneThatStandsStillIsFoundThoughAnotherMoves) {
    for (std::uint64_t mark = 0; mark < 20; ++mark) {
        is_held_up_by(WaitsOn::store, mark);
        seen.obstacles.add(WaitsOn::sink, 7);
        looks_for(1s);
    }
    EXPECT_EQ(state(), StreamState::blocked);
    EXPECT_EQ(watch.condition().waits_on, WaitsOn::sink);
}

TEST_F(StallWatchTest, AnotherObstacleIsAnotherLine) {
    is_held_up_by(WaitsOn::sink);
    looks_for(20s);
    is_held_up_by(WaitsOn::store);
    looks_for(20s);
    EXPECT_EQ(watch.condition().waits_on, WaitsOn::store);
    EXPECT_EQ(lines_with("the stream is blocked"), 2U);
}

TEST_F(StallWatchTest, AServerThatAnswersAndSendsNothingIsBlockedAfterAMinute) {
    is_silent(59s);
    look();
    EXPECT_EQ(state(), StreamState::working) << "it has a large transaction";
    is_silent(60s);
    look();
    EXPECT_EQ(state(), StreamState::blocked);
    EXPECT_EQ(watch.condition().waits_on, WaitsOn::source);
    EXPECT_EQ(watch.condition().waits_for,
              "PostgreSQL: it answers, but has sent nothing for 60 s while its log went on by 5.0 "
              "MB; it waits for Lock: tuple");
    EXPECT_EQ(lines_with("the stream is blocked"), 1U);
    EXPECT_THAT(lines.text, HasSubstr("hint=\"the server works through a large transaction"));
    is_working();
    look();
    EXPECT_EQ(state(), StreamState::working);
}

TEST_F(StallWatchTest, ADeadOneStaysThatUntilAStreamMoves) {
    is_working();
    look();
    watch.dead({.lasted = 12s, .log_bytes = 9, .answers = false, .busy_with = {}}, clock.now());
    watch.dead({.lasted = 13s, .log_bytes = 9, .answers = false, .busy_with = {}}, clock.now());
    EXPECT_EQ(state(), StreamState::dead);
    EXPECT_EQ(lines_with("the stream is dead"), 1U);
    EXPECT_THAT(lines.text, HasSubstr("for_ms=12000"));
    seen = {};
    looks_for(30s);
    EXPECT_EQ(state(), StreamState::dead) << "reconnecting";
    seen = {.streams = true, .moves = false, .idle = true};
    looks_for(3s);
    EXPECT_EQ(state(), StreamState::dead) << "the old walsender may have the slot still";
    is_idle();
    look();
    EXPECT_NE(state(), StreamState::dead);
    EXPECT_EQ(lines_with("the stream moves again"), 1U);
    EXPECT_THAT(lines.text, HasSubstr("was=dead"));
}

TEST_F(StallWatchTest, WhatWasBlockedWhenAnAttemptEndedIsSoUntilTheNextOneMoves) {
    is_held_up_by(WaitsOn::sink);
    looks_for(11s);
    seen = {};
    looks_for(30s);
    EXPECT_EQ(state(), StreamState::blocked);
    is_working();
    look();
    EXPECT_EQ(state(), StreamState::working);
    EXPECT_EQ(lines_with("the stream is blocked"), 1U);
    EXPECT_EQ(lines_with("the stream moves again"), 1U);
}

}  // namespace
}  // namespace pgc
