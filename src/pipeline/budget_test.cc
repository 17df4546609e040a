#include "pipeline/budget.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "pipeline/batch_size.h"

namespace pgc {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(BudgetTest, GrantsWhatIsWantedWhileThereIsRoom) {
    const Budget budget{32 * kMiB};
    EXPECT_EQ(budget.readable(kMiB), kMiB);
}

TEST(BudgetTest, ReservesForCellsAndRecordsToo) {
    Budget budget{32 * kMiB};
    budget.reserve(kMiB);
    EXPECT_EQ(budget.used(), 8 * kMiB);
    budget.settle(3 * kMiB);
    EXPECT_EQ(budget.used(), 3 * kMiB);
}

TEST(BudgetTest, GrantsLessWhenLessIsLeft) {
    Budget budget{8 * kMiB};
    budget.settle(4 * kMiB);
    EXPECT_EQ(budget.readable(kMiB), kMiB / 2);
}

TEST(BudgetTest, PausesWhenAReadWouldBeOfNoUse) {
    Budget budget{8 * kMiB};
    budget.settle(8 * kMiB - Budget::kPerRawByte * Budget::kUsefulRead + 1);
    EXPECT_EQ(budget.readable(kMiB), 0U);
    budget.release(1);
    EXPECT_EQ(budget.readable(kMiB), Budget::kUsefulRead);
}

TEST(BudgetTest, ReadsAgainWhenTheSinkLetsGo) {
    Budget budget{8 * kMiB};
    budget.settle(20 * kMiB);
    EXPECT_EQ(budget.readable(kMiB), 0U);
    budget.release(20 * kMiB);
    EXPECT_EQ(budget.readable(kMiB), kMiB);
}

TEST(BudgetTest, ATinyBudgetIsSlowNotStuck) {
    Budget budget{1};
    EXPECT_EQ(budget.readable(kMiB), Budget::kUsefulRead);
    budget.settle(1);
    EXPECT_EQ(budget.readable(kMiB), 0U);
}

TEST(BudgetTest, NeverExceedsItsLimitByMoreThanOneUsefulRead) {
    Random random{7};
    Budget budget{4 * kMiB};
    std::size_t held = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::size_t raw = budget.readable(kMiB);
        if (raw > 0) {
            budget.reserve(raw);
            ASSERT_LE(budget.used(), budget.limit() + Budget::kPerRawByte * Budget::kUsefulRead);
            const std::size_t came_to = random.below(raw * Budget::kPerRawByte + 1);
            budget.settle(came_to);
            held += came_to;
        }
        if (random.chance(40)) {
            const std::size_t gone = random.below(held + 1);
            budget.release(gone);
            held -= gone;
        }
        ASSERT_EQ(budget.used(), held);
    }
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
