#include "postgres/stream/gulp.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr Instant at(Duration since) {
    return Instant{1000s} + since;
}

void fall_behind(Gulp& gulp, Instant now) {
    gulp.drained(Gulp::kBusyBytes, now);
    ASSERT_TRUE(gulp.behind());
}

TEST(GulpTest, TakesSingleRowsAtFirst) {
    const Gulp gulp{false};
    EXPECT_FALSE(gulp.behind());
    EXPECT_EQ(gulp.low_water(), 1U);
    EXPECT_TRUE(gulp.watch_socket());
    EXPECT_EQ(gulp.limit(), kNever);
}

TEST(GulpTest, ASmallDrainDoesNotMeanBehind) {
    Gulp gulp{false};
    gulp.drained(200, at(0s));
    EXPECT_FALSE(gulp.behind());
}

TEST(GulpTest, ManySmallDrainsWithinTheWindowMeanBehind) {
    Gulp gulp{false};
    for (int i = 0; i < 100 && !gulp.behind(); ++i) gulp.drained(200, at(i * 5us));
    EXPECT_TRUE(gulp.behind());
}

TEST(GulpTest, TheSameBytesSpreadOverTimeDoNot) {
    Gulp gulp{false};
    for (int i = 0; i < 1000; ++i) {
        gulp.drained(200, at(i * 100us));
        ASSERT_FALSE(gulp.behind());
    }
}

TEST(GulpTest, WaitsForMoreAsLongAsWaitingPays) {
    Gulp gulp{false};
    fall_behind(gulp, at(0s));
    EXPECT_EQ(gulp.low_water(), std::size_t{16} << 10);
    gulp.drained(std::size_t{16} << 10, at(1ms));
    EXPECT_EQ(gulp.low_water(), std::size_t{64} << 10);
    gulp.drained(std::size_t{70} << 10, at(2ms));
    EXPECT_EQ(gulp.low_water(), std::size_t{128} << 10);
    gulp.drained(std::size_t{200} << 10, at(3ms));
    EXPECT_EQ(gulp.low_water(), std::size_t{128} << 10);
}

TEST(GulpTest, FallsBackToSingleRowsWhenNextToNothingCame) {
    Gulp gulp{false};
    fall_behind(gulp, at(0s));
    gulp.drained(std::size_t{70} << 10, at(1ms));
    gulp.drained(1000, at(6ms));
    EXPECT_FALSE(gulp.behind());
    EXPECT_EQ(gulp.low_water(), 1U);
    EXPECT_EQ(gulp.limit(), kNever);
}

TEST(GulpTest, AServerThatIsSlowerThanTheMarkIsStillWaitedFor) {
    Gulp gulp{false};
    fall_behind(gulp, at(0s));
    gulp.drained(std::size_t{20} << 10, at(1ms));
    ASSERT_EQ(gulp.low_water(), std::size_t{64} << 10);
    gulp.drained(std::size_t{40} << 10, at(4ms));
    EXPECT_EQ(gulp.low_water(), std::size_t{64} << 10);
    gulp.drained(std::size_t{10} << 10, at(7ms));
    EXPECT_EQ(gulp.low_water(), std::size_t{16} << 10);
}

TEST(GulpTest, WhoKnowsToBeBehindTakesTheLargestGulpsAtOnce) {
    Gulp gulp{false};
    gulp.drained(200, at(0s), true);
    EXPECT_EQ(gulp.low_water(), std::size_t{128} << 10);
}

TEST(GulpTest, AFewEmptyWaitsDoNotMakeAnybodyDoubt) {
    Gulp gulp{false};
    gulp.drained(0, at(0s), true);
    for (int i = 1; i < Gulp::kPatience; ++i) gulp.drained(0, at(i * 5ms), true);
    EXPECT_TRUE(gulp.behind());
}

TEST(GulpTest, ManyEmptyWaitsDoUntilItIsSaidAgain) {
    Gulp gulp{false};
    gulp.drained(0, at(0s), true);
    for (int i = 1; i <= Gulp::kPatience; ++i) gulp.drained(0, at(i * 5ms), true);
    EXPECT_FALSE(gulp.behind());
    gulp.drained(200, at(60ms), true);
    EXPECT_FALSE(gulp.behind());
    gulp.believe();
    gulp.drained(200, at(61ms), true);
    EXPECT_TRUE(gulp.behind());
}

TEST(GulpTest, DoubtEndsAsSoonAsItPoursAgain) {
    Gulp gulp{false};
    gulp.drained(0, at(0s), true);
    for (int i = 1; i <= Gulp::kPatience; ++i) gulp.drained(0, at(i * 5ms), true);
    gulp.drained(Gulp::kBusyBytes, at(60ms), true);
    gulp.drained(Gulp::kBusyBytes, at(61ms), true);
    EXPECT_EQ(gulp.low_water(), std::size_t{128} << 10);
}

TEST(GulpTest, OverANetworkNeverWaitsLongerThanFiveMilliseconds) {
    Gulp gulp{false};
    fall_behind(gulp, at(0s));
    Instant now = at(0s);
    for (int i = 0; i < 10; ++i) {
        EXPECT_LE(gulp.limit() - now, Duration{5ms});
        EXPECT_GT(gulp.limit(), now);
        now = now + 1ms;
        gulp.drained(std::size_t{1} << 20, now);
    }
}

TEST(GulpTest, AFreshShortfallDoesNotCountOldBytes) {
    Gulp gulp{false};
    fall_behind(gulp, at(0s));
    gulp.drained(100, at(1ms));
    gulp.drained(100, at(1100us));
    EXPECT_FALSE(gulp.behind());
}

TEST(GulpTest, OnAUnixSocketOnlyTheClockIsWaitedFor) {
    Gulp gulp{true};
    EXPECT_TRUE(gulp.watch_socket());
    fall_behind(gulp, at(0s));
    EXPECT_FALSE(gulp.watch_socket());
    EXPECT_EQ(gulp.low_water(), 1U);
    EXPECT_LE(gulp.limit() - at(0s), Duration{500us});
}

TEST(GulpTest, OnAUnixSocketAShortDrainMeansCaughtUpToo) {
    Gulp gulp{true};
    fall_behind(gulp, at(0s));
    gulp.drained(10, at(1ms));
    EXPECT_TRUE(gulp.watch_socket());
}

TEST(GulpTest, OnLoopbackItStaysAwayFromTheSocketWhileItIsBehind) {
    Gulp gulp{false, true};
    EXPECT_TRUE(gulp.watch_socket());
    gulp.drained(std::size_t{1} << 20, Instant{}, true);
    EXPECT_TRUE(gulp.behind());
    EXPECT_FALSE(gulp.watch_socket());
    EXPECT_EQ(gulp.low_water(), 1U);
    EXPECT_EQ(gulp.limit(), Instant{} + 30ms);
    EXPECT_TRUE(gulp.stay_away(Instant{} + 29ms));
    EXPECT_FALSE(gulp.stay_away(Instant{} + 30ms));
}

TEST(GulpTest, OverANetworkWhateverWakesUsMayLookAtTheSocket) {
    Gulp gulp{false};
    gulp.drained(std::size_t{1} << 20, Instant{}, true);
    EXPECT_FALSE(gulp.stay_away(Instant{} + 1ms));
}

TEST(GulpTest, OnLoopbackOneWaitForNothingBringsItBackToTheSocket) {
    Gulp gulp{false, true};
    gulp.drained(std::size_t{1} << 20, Instant{}, true);
    gulp.drained(0, Instant{} + 30ms);
    EXPECT_FALSE(gulp.behind());
    EXPECT_TRUE(gulp.watch_socket());
    EXPECT_EQ(gulp.limit(), kNever);
}

}  // namespace
}  // namespace pgc
