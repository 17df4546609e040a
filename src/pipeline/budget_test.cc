#include "pipeline/budget.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.h"
#include "pipeline/batch_size.h"

namespace pgc {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class BudgetTest : public testing::Test {
protected:
    Budget of(std::size_t limit) { return {limit, pool_}; }
    // A batch is encoded and takes so much.
    void charge(std::size_t bytes) {
        out_.push_back(pool_.get());
        pool_.charge(*out_.back(), bytes);
    }
    void give_back() { out_.pop_front(); }

    RecordPool pool_;
    std::deque<RecordBatchPtr> out_;
};

TEST_F(BudgetTest, GrantsWhatIsWantedWhileThereIsRoom) {
    EXPECT_EQ(of(32 * kMiB).readable(kMiB), kMiB);
}

TEST_F(BudgetTest, ReservesForCellsAndRecordsToo) {
    Budget budget = of(32 * kMiB);
    budget.reserve(kMiB);
    EXPECT_EQ(budget.used(), 8 * kMiB);
    charge(3 * kMiB);
    budget.settle();
    EXPECT_EQ(budget.used(), 3 * kMiB);
}

TEST_F(BudgetTest, MarksOfTransactionsTakeMemoryToo) {
    Budget budget{24 * kMiB, pool_, true};
    budget.reserve(kMiB / 2);
    EXPECT_EQ(budget.used(), 12 * kMiB);
    EXPECT_EQ(budget.readable(kMiB), kMiB / 2);
    budget.settle();
    EXPECT_EQ((Budget{1, pool_, true}.readable(kMiB)), Budget::kUsefulRead / 3)
        << "no more memory for it than without marks";
}

TEST_F(BudgetTest, GrantsLessWhenLessIsLeft) {
    charge(4 * kMiB);
    EXPECT_EQ(of(8 * kMiB).readable(kMiB), kMiB / 2);
}

TEST_F(BudgetTest, PausesWhenAReadWouldBeOfNoUse) {
    const Budget budget = of(8 * kMiB);
    charge(8 * kMiB - Budget::kPerRawByte * Budget::kUsefulRead);
    EXPECT_EQ(budget.readable(kMiB), Budget::kUsefulRead);
    charge(1);
    EXPECT_EQ(budget.readable(kMiB), 0U);
}

TEST_F(BudgetTest, ReadsAgainWhenTheSinkGivesBatchesBack) {
    const Budget budget = of(8 * kMiB);
    charge(20 * kMiB);
    EXPECT_EQ(budget.readable(kMiB), 0U);
    give_back();
    EXPECT_EQ(budget.readable(kMiB), kMiB);
}

TEST_F(BudgetTest, WhatABatchTakesCanBeReckonedAgain) {
    charge(kMiB);
    pool_.charge(*out_.back(), kMiB / 2);
    EXPECT_EQ(pool_.charged(), kMiB / 2);
    give_back();
    EXPECT_EQ(pool_.charged(), 0U);
}

TEST_F(BudgetTest, ATinyBudgetIsSlowNotStuck) {
    const Budget budget = of(1);
    EXPECT_EQ(budget.readable(kMiB), Budget::kUsefulRead);
    charge(1);
    EXPECT_EQ(budget.readable(kMiB), 0U);
}

TEST_F(BudgetTest, NeverExceedsItsLimitByMoreThanOneUsefulRead) {
    Random random{7};
    Budget budget = of(4 * kMiB);
    for (int i = 0; i < 10'000; ++i) {
        const std::size_t raw = budget.readable(kMiB);
        if (raw > 0) {
            budget.reserve(raw);
            ASSERT_LE(budget.used(), budget.limit() + Budget::kPerRawByte * Budget::kUsefulRead);
            charge(random.below(raw * Budget::kPerRawByte + 1));
            budget.settle();
        }
        if (!out_.empty() && random.chance(40)) give_back();
        ASSERT_EQ(budget.used(), pool_.charged());
    }
    out_.clear();
    EXPECT_EQ(budget.used(), 0U);
}

TEST(BatchSizeTest, StartsSmallAndGrowsWhileBehind) {
    BatchSize size{1000, false};
    EXPECT_EQ(size.changes(), 1000U);
    size.behind(1000);
    EXPECT_EQ(size.changes(), 2000U);
    for (int i = 0; i < 100; ++i) size.behind(1000);
    EXPECT_EQ(size.changes(), 1000U * BatchSize::kGrowth_max);
}

TEST(BatchSizeTest, StopsGrowingAtAboutAMebibyteOfRecords) {
    BatchSize size{1000, false};
    size.behind(BatchSize::kAim_bytes * 3 / 4);
    EXPECT_EQ(size.changes(), 1000U);
    size.behind(1);
    size.behind(BatchSize::kAim_bytes + 1);
    EXPECT_EQ(size.changes(), 1000U);
    size.behind(BatchSize::kAim_bytes + 1);
    EXPECT_EQ(size.changes(), 1000U) << "never below where it starts";
}

TEST(BatchSizeTest, CaughtUpItIsSmallAgain) {
    BatchSize size{1000, false};
    size.behind(1);
    size.caught_up();
    EXPECT_EQ(size.changes(), 1000U);
}

TEST(BatchSizeTest, ASizeTheUserSetStays) {
    BatchSize size{50, true};
    for (int i = 0; i < 10; ++i) size.behind(1);
    EXPECT_EQ(size.changes(), 50U);
}

}  // namespace
}  // namespace pgc
