#include "postgres/stream/read_coalescer.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr Instant at_second(Duration since) {
    return Instant{1000s} + since;
}

void fall_behind(ReadCoalescer& coalescer, Instant now) {
    coalescer.drained(ReadCoalescer::kBusyBytes, now);
    ASSERT_TRUE(coalescer.behind());
}

TEST(ReadCoalescerTest, TakesSingleRowsAtFirst) {
    const ReadCoalescer coalescer{false};
    EXPECT_FALSE(coalescer.behind());
    EXPECT_EQ(coalescer.low_water(), 1U);
    EXPECT_TRUE(coalescer.watch_socket());
    EXPECT_EQ(coalescer.limit(), kNever);
}

TEST(ReadCoalescerTest, ASmallDrainDoesNotMeanBehind) {
    ReadCoalescer coalescer{false};
    coalescer.drained(200, at_second(0s));
    EXPECT_FALSE(coalescer.behind());
}

TEST(ReadCoalescerTest, ManySmallDrainsWithinTheWindowMeanBehind) {
    ReadCoalescer coalescer{false};
    for (int i = 0; i < 100 && !coalescer.behind(); ++i) coalescer.drained(200, at_second(i * 5us));
    EXPECT_TRUE(coalescer.behind());
}

TEST(ReadCoalescerTest, TheSameBytesSpreadOverTimeDoNot) {
    ReadCoalescer coalescer{false};
    for (int i = 0; i < 1000; ++i) {
        coalescer.drained(200, at_second(i * 100us));
        ASSERT_FALSE(coalescer.behind());
    }
}

TEST(ReadCoalescerTest, WaitsForMoreAsLongAsWaitingPays) {
    ReadCoalescer coalescer{false};
    fall_behind(coalescer, at_second(0s));
    EXPECT_EQ(coalescer.low_water(), std::size_t{16} << 10);
    coalescer.drained(std::size_t{16} << 10, at_second(1ms));
    EXPECT_EQ(coalescer.low_water(), std::size_t{64} << 10);
    coalescer.drained(std::size_t{70} << 10, at_second(2ms));
    EXPECT_EQ(coalescer.low_water(), std::size_t{128} << 10);
    coalescer.drained(std::size_t{200} << 10, at_second(3ms));
    EXPECT_EQ(coalescer.low_water(), std::size_t{128} << 10);
}

TEST(ReadCoalescerTest, FallsBackToSingleRowsWhenNextToNothingCame) {
    ReadCoalescer coalescer{false};
    fall_behind(coalescer, at_second(0s));
    coalescer.drained(std::size_t{70} << 10, at_second(1ms));
    coalescer.drained(1000, at_second(6ms));
    EXPECT_FALSE(coalescer.behind());
    EXPECT_EQ(coalescer.low_water(), 1U);
    EXPECT_EQ(coalescer.limit(), kNever);
}

TEST(ReadCoalescerTest, AServerThatIsSlowerThanTheMarkIsStillWaitedFor) {
    ReadCoalescer coalescer{false};
    fall_behind(coalescer, at_second(0s));
    coalescer.drained(std::size_t{20} << 10, at_second(1ms));
    ASSERT_EQ(coalescer.low_water(), std::size_t{64} << 10);
    coalescer.drained(std::size_t{40} << 10, at_second(4ms));
    EXPECT_EQ(coalescer.low_water(), std::size_t{64} << 10);
    coalescer.drained(std::size_t{10} << 10, at_second(7ms));
    EXPECT_EQ(coalescer.low_water(), std::size_t{16} << 10);
}

TEST(ReadCoalescerTest, WhoKnowsToBeBehindReadsTheMostAtOnce) {
    ReadCoalescer coalescer{false};
    coalescer.drained(200, at_second(0s), true);
    EXPECT_EQ(coalescer.low_water(), std::size_t{128} << 10);
}

TEST(ReadCoalescerTest, AFewEmptyWaitsDoNotMakeAnybodyDoubt) {
    ReadCoalescer coalescer{false};
    coalescer.drained(0, at_second(0s), true);
    for (int i = 1; i < ReadCoalescer::kPatience; ++i)
        coalescer.drained(0, at_second(i * 5ms), true);
    EXPECT_TRUE(coalescer.behind());
}

TEST(ReadCoalescerTest, ManyEmptyWaitsDoUntilItIsSaidAgain) {
    ReadCoalescer coalescer{false};
    coalescer.drained(0, at_second(0s), true);
    for (int i = 1; i <= ReadCoalescer::kPatience; ++i)
        coalescer.drained(0, at_second(i * 5ms), true);
    EXPECT_FALSE(coalescer.behind());
    coalescer.drained(200, at_second(60ms), true);
    EXPECT_FALSE(coalescer.behind());
    coalescer.believe();
    coalescer.drained(200, at_second(61ms), true);
    EXPECT_TRUE(coalescer.behind());
}

TEST(ReadCoalescerTest, DoubtEndsAsSoonAsItPoursAgain) {
    ReadCoalescer coalescer{false};
    coalescer.drained(0, at_second(0s), true);
    for (int i = 1; i <= ReadCoalescer::kPatience; ++i)
        coalescer.drained(0, at_second(i * 5ms), true);
    coalescer.drained(ReadCoalescer::kBusyBytes, at_second(60ms), true);
    coalescer.drained(ReadCoalescer::kBusyBytes, at_second(61ms), true);
    EXPECT_EQ(coalescer.low_water(), std::size_t{128} << 10);
}

TEST(ReadCoalescerTest, OverANetworkNeverWaitsLongerThanFiveMilliseconds) {
    ReadCoalescer coalescer{false};
    fall_behind(coalescer, at_second(0s));
    Instant now = at_second(0s);
    for (int i = 0; i < 10; ++i) {
        EXPECT_LE(coalescer.limit() - now, Duration{5ms});
        EXPECT_GT(coalescer.limit(), now);
        now = now + 1ms;
        coalescer.drained(std::size_t{1} << 20, now);
    }
}

TEST(ReadCoalescerTest, AFreshShortfallDoesNotCountOldBytes) {
    ReadCoalescer coalescer{false};
    fall_behind(coalescer, at_second(0s));
    coalescer.drained(100, at_second(1ms));
    coalescer.drained(100, at_second(1100us));
    EXPECT_FALSE(coalescer.behind());
}

TEST(ReadCoalescerTest, OnAUnixSocketOnlyTheClockIsWaitedFor) {
    ReadCoalescer coalescer{true};
    EXPECT_TRUE(coalescer.watch_socket());
    fall_behind(coalescer, at_second(0s));
    EXPECT_FALSE(coalescer.watch_socket());
    EXPECT_EQ(coalescer.low_water(), 1U);
    EXPECT_LE(coalescer.limit() - at_second(0s), Duration{500us});
}

TEST(ReadCoalescerTest, OnAUnixSocketAShortDrainMeansCaughtUpToo) {
    ReadCoalescer coalescer{true};
    fall_behind(coalescer, at_second(0s));
    coalescer.drained(10, at_second(1ms));
    EXPECT_TRUE(coalescer.watch_socket());
}

TEST(ReadCoalescerTest, OnLoopbackItStaysAwayFromTheSocketWhileItIsBehind) {
    ReadCoalescer coalescer{false, true};
    EXPECT_TRUE(coalescer.watch_socket());
    coalescer.drained(std::size_t{1} << 20, Instant{}, true);
    EXPECT_TRUE(coalescer.behind());
    EXPECT_FALSE(coalescer.watch_socket());
    EXPECT_EQ(coalescer.low_water(), 1U);
    EXPECT_EQ(coalescer.limit(), Instant{} + 30ms);
    EXPECT_TRUE(coalescer.stay_away(Instant{} + 29ms));
    EXPECT_FALSE(coalescer.stay_away(Instant{} + 30ms));
}

TEST(ReadCoalescerTest, OverANetworkWhateverWakesUsMayLookAtTheSocket) {
    ReadCoalescer coalescer{false};
    coalescer.drained(std::size_t{1} << 20, Instant{}, true);
    EXPECT_FALSE(coalescer.stay_away(Instant{} + 1ms));
}

TEST(ReadCoalescerTest, OnLoopbackOneWaitForNothingBringsItBackToTheSocket) {
    ReadCoalescer coalescer{false, true};
    coalescer.drained(std::size_t{1} << 20, Instant{}, true);
    coalescer.drained(0, Instant{} + 30ms);
    EXPECT_FALSE(coalescer.behind());
    EXPECT_TRUE(coalescer.watch_socket());
    EXPECT_EQ(coalescer.limit(), kNever);
}

}  // namespace
}  // namespace pgc
