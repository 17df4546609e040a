#include "pipeline/supervision.h"

#include <gtest/gtest.h>

#include <set>

namespace pgc {
namespace {

using namespace std::chrono_literals;

class SupervisionTest : public testing::Test {
protected:
    Random random{1};
    Supervision supervision{random};
    Instant now{1h};
    const Error gone = retry(Error::Category::connection, "the server went away");

    Supervision::Decision fail(const Error& error) { return supervision.failed(error, now); }
};

TEST_F(SupervisionTest, AnErrorThatSaysStopStops) {
    const auto decision = fail(stop(Error::Category::position, "the slot was moved"));
    EXPECT_TRUE(decision.stop);
    EXPECT_TRUE(decision.report);
}

TEST_F(SupervisionTest, AnErrorThatMayPassIsTriedAgainSoon) {
    const auto decision = fail(gone);
    EXPECT_FALSE(decision.stop);
    EXPECT_GE(decision.pause, Supervision::kPause_min / 2);
    EXPECT_LE(decision.pause, Supervision::kPause_min);
}

TEST_F(SupervisionTest, PausesGrowToTheLongestAndStayThere) {
    Duration most{0};
    for (int i = 0; i < 50; ++i) {
        const auto decision = fail(gone);
        EXPECT_LE(decision.pause, Supervision::kPause_max);
        if (i > 5) {
            EXPECT_GE(decision.pause, Supervision::kPause_max / 2);
        }
        most = std::max(most, decision.pause);
    }
    EXPECT_GT(most, Supervision::kPause_max * 3 / 4);
}

TEST_F(SupervisionTest, TheLongestPauseLeavesTimeToRecoverWithinTwoSeconds) {
    EXPECT_LE(Supervision::kPause_max, 1500ms);
}

TEST_F(SupervisionTest, PausesDifferSoThatPipelinesDoNotComeBackInStep) {
    std::set<Duration> pauses;
    for (int i = 0; i < 20; ++i) pauses.insert(fail(gone).pause);
    EXPECT_GT(pauses.size(), 15U);
}

TEST_F(SupervisionTest, ProgressMakesTheNextPauseShort) {
    for (int i = 0; i < 10; ++i) (void)fail(gone);
    supervision.progressed();
    EXPECT_LE(fail(gone).pause, Supervision::kPause_min);
}

TEST_F(SupervisionTest, TheSameErrorIsCountedAndToldNowAndThen) {
    EXPECT_TRUE(fail(gone).report);
    const auto second = fail(gone);
    EXPECT_FALSE(second.report);
    EXPECT_EQ(second.times, 2U);
    now = now + Supervision::kReport_every;
    const auto third = fail(gone);
    EXPECT_TRUE(third.report);
    EXPECT_EQ(third.times, 3U);
}

TEST_F(SupervisionTest, AnotherErrorIsToldAtOnce) {
    (void)fail(gone);
    const auto other = fail(retry(Error::Category::sink, "the broker went away"));
    EXPECT_TRUE(other.report);
    EXPECT_EQ(other.times, 1U);
}

}  // namespace
}  // namespace pgc
