#include "postgres/snapshot/pace.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

TEST(SnapshotPaceTest, ASnapshotOfEverythingHoldsForAsLongAsTheDatabaseMay) {
    SnapshotPace pace{50, 1h};
    pace.begun(start, true);
    pace.reading(start + 1s);
    EXPECT_EQ(pace.until(), start + 1s + 1h);
    pace.ended(start + 1h);
    EXPECT_TRUE(pace.may_begin(start + 1h)) << "the stream has run up to the next one by itself";
}

TEST(SnapshotPaceTest, AnotherIsReadInSlicesAndTheStreamHasItsShare) {
    SnapshotPace pace{25, 1h};
    pace.begun(start, false);
    pace.reading(start + 100ms);
    EXPECT_EQ(pace.until(), start + 100ms + SnapshotPace::kSlice);
    pace.ended(start + 400ms);
    EXPECT_FALSE(pace.may_begin(start + 400ms + 1199ms));
    EXPECT_TRUE(pace.may_begin(start + 400ms + 1200ms)) << "400 ms were a quarter";
}

TEST(SnapshotPaceTest, TheStreamWaitsLongerAfterEachVainAttempt) {
    SnapshotPace pace{50, 1h};
    pace.begun(start, false);
    EXPECT_EQ(pace.give_way_at(), start + 1s);
    pace.in_vain();
    pace.begun(start, false);
    EXPECT_EQ(pace.give_way_at(), start + 2s);
    for (int i = 0; i < 20; ++i) pace.in_vain();
    pace.begun(start, false);
    EXPECT_EQ(pace.give_way_at(), start + SnapshotPace::kPatience_max);
    pace.reading(start);
    pace.begun(start, false);
    EXPECT_EQ(pace.give_way_at(), start + 1s);
}

TEST(RowRateTest, WithoutALimitAllMayBeRead) {
    RowRate rate{0};
    EXPECT_EQ(rate.allowed(start, 1'000'000), 1'000'000U);
    rate.took(1'000'000);
    EXPECT_FALSE(rate.exhausted());
}

TEST(RowRateTest, ATenthOfTheRateIsLetThroughInATenthOfASecond) {
    RowRate rate{1000};
    EXPECT_EQ(rate.allowed(start, 500), 100U);
    rate.took(60);
    EXPECT_EQ(rate.allowed(start, 500), 40U);
    rate.took(40);
    EXPECT_TRUE(rate.exhausted());
    EXPECT_EQ(rate.allowed(start + 99ms, 500), 0U);
    EXPECT_EQ(rate.allowed(rate.refill_at(), 500), 100U);
}

TEST(RowRateTest, AFewRowsASecondAreLetThroughOneByOne) {
    RowRate rate{4};
    EXPECT_EQ(rate.allowed(start, 10), 1U);
    rate.took(1);
    EXPECT_EQ(rate.refill_at(), start + 250ms);
}

}  // namespace
}  // namespace pgc
