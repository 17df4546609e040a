#include "sink/kafka/delivery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/random.h"

namespace pgc {
namespace {

class KafkaDeliveryTest : public testing::Test {
protected:
    RecordBatchPtr batch(std::uint64_t commit, std::size_t records, Lane lane = kStreamLane) {
        RecordBatchPtr made = pool_.get();
        made->lane = lane;
        made->end = Position::whole(Lsn{commit});
        for (std::size_t i = 0; i < records; ++i) {
            made->records.push_back(
                {.value = made->arena.copy("value"), .commit_lsn = Lsn{commit}, .ordinal = i + 1});
        }
        return made;
    }
    KafkaDelivery::Pending& accept(std::uint64_t commit, std::size_t records) {
        auto& pending = delivery_.accept(batch(commit, records), records, 100);
        delivery_.handed(pending, records);
        return pending;
    }
    void written(KafkaDelivery::Pending& pending, std::uint32_t records) {
        delivery_.written({pending.number(), records});
        delivery_.advance();
    }
    std::uint64_t durable() const { return delivery_.durable(kStreamLane).commit.value; }

    RecordPool pool_;
    KafkaDelivery delivery_;
};

TEST_F(KafkaDeliveryTest, ARecordForSeveralPartitionsCountsOnceForEach) {
    auto& one = delivery_.accept(batch(1, 1), 3, 100);
    delivery_.handed(one, 1);
    EXPECT_EQ(delivery_.unfinished(), &one);
    delivery_.handed(one, 2);
    EXPECT_EQ(delivery_.unfinished(), nullptr);
    written(one, 2);
    EXPECT_EQ(durable(), 0U);
    written(one, 1);
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaDeliveryTest, ABatchIsDurableWhenItsLastRecordIsReported) {
    auto& one = accept(1, 3);
    written(one, 2);
    EXPECT_EQ(durable(), 0U);
    written(one, 1);
    EXPECT_EQ(durable(), 1U);
    EXPECT_TRUE(delivery_.empty());
    EXPECT_EQ(delivery_.bytes(), 0U);
    EXPECT_EQ(delivery_.unreported(), 0U);
}

TEST_F(KafkaDeliveryTest, ABatchWaitsForThoseBeforeIt) {
    auto& one = accept(1, 1);
    auto& two = accept(2, 1);
    written(two, 1);
    EXPECT_EQ(durable(), 0U);
    written(one, 1);
    EXPECT_EQ(durable(), 2U);
}

TEST_F(KafkaDeliveryTest, ABatchWithoutRecordsTakesItsPlaceInTheOrder) {
    auto& one = accept(1, 1);
    accept(2, 0);
    delivery_.advance();
    EXPECT_EQ(durable(), 0U);
    written(one, 1);
    EXPECT_EQ(durable(), 2U);
}

TEST_F(KafkaDeliveryTest, WhatIsNotHandedOverIsNotDurable) {
    auto& one = delivery_.accept(batch(1, 3), 3, 100);
    delivery_.handed(one, 2);
    EXPECT_EQ(delivery_.unfinished(), &one);
    written(one, 2);
    EXPECT_EQ(durable(), 0U);
    delivery_.handed(one, 1);
    EXPECT_EQ(delivery_.unfinished(), nullptr);
    written(one, 1);
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaDeliveryTest, NothingBehindAFailedRecordIsEverDurable) {
    auto& one = accept(1, 2);
    auto& two = accept(2, 1);
    EXPECT_EQ(delivery_.failed({.tag = {one.number(), 1}}).ordinal, 2U);
    written(one, 1);
    written(two, 1);
    EXPECT_EQ(durable(), 0U);
}

TEST_F(KafkaDeliveryTest, ATombstoneThatFailedIsFoundByItsIndex) {
    accept(1, 1);
    RecordBatchPtr tombstones = batch(2, 0);
    tombstones->records.push_back({.has_key = true, .has_value = false, .ordinal = 1});
    tombstones->records.push_back({.has_key = true, .has_value = false, .ordinal = 2});
    auto& pending = delivery_.accept(std::move(tombstones), 2, 100);
    delivery_.handed(pending, 2);
    EXPECT_EQ(delivery_.failed({.tag = {pending.number(), 1}}).ordinal, 2U);
}

TEST_F(KafkaDeliveryTest, BatchesAreNumberedWhateverHasGone) {
    for (std::uint64_t commit = 1; commit <= 3; ++commit) {
        const std::uint32_t number = delivery_.next_number();
        auto& one = accept(commit, 1);
        EXPECT_EQ(one.number(), number);
        EXPECT_EQ(&delivery_.of(number), &one);
        written(one, 1);
    }
    const std::uint32_t before = delivery_.next_number();
    accept(4, 1);
    (void)delivery_.give_up();
    EXPECT_EQ(delivery_.next_number(), before + 1) << "a late report names no other batch";
}

TEST_F(KafkaDeliveryTest, AFailedRecordThatWentElsewhereCountsThere) {
    auto& one = accept(1, 1);
    (void)delivery_.failed({.tag = {one.number(), 0}});
    delivery_.handed_kept(one);
    written(one, 1);
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaDeliveryTest, AKeptRecordCountsOnceItIsWritten) {
    auto& one = delivery_.accept(batch(1, 2), 2, 100);
    delivery_.kept(one);
    delivery_.handed(one, 1);
    written(one, 1);
    EXPECT_EQ(durable(), 0U);
    delivery_.handed_kept(one);
    written(one, 1);
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaDeliveryTest, LanesAdvanceEachForItself) {
    auto& stream = delivery_.accept(batch(100, 1), 1, 1);
    delivery_.handed(stream, 1);
    auto& range = delivery_.accept(batch(7, 1, Lane{2}), 1, 1);
    delivery_.handed(range, 1);
    written(stream, 1);
    EXPECT_EQ(durable(), 100U);
    EXPECT_EQ(delivery_.durable(Lane{2}), Position{});
    written(range, 1);
    EXPECT_EQ(delivery_.durable(Lane{2}), Position::whole(Lsn{7}));
}

TEST_F(KafkaDeliveryTest, GivingUpHandsOutOnlyWhatIsStillLent) {
    auto& one = accept(1, 1);
    auto& two = accept(2, 2);
    delivery_.accept(batch(3, 1), 1, 100);  // not handed over
    delivery_.written({one.number(), 1});   // reported, though not yet let go
    delivery_.written({two.number(), 1});
    const auto lent = delivery_.give_up();
    ASSERT_EQ(lent.size(), 1U);
    EXPECT_EQ(lent[0].end, Position::whole(Lsn{2}));
    EXPECT_TRUE(delivery_.empty());
}

// However reports come, durable() is the longest prefix that a plain reckoning finds.
TEST_F(KafkaDeliveryTest, DurableIsAlwaysTheLongestReportedPrefix) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Random random{seed};
        KafkaDelivery delivery;
        std::vector<KafkaDelivery::Pending*> alive;
        std::vector<std::size_t> missing;  // of each batch; a failed record stays missing
        std::vector<std::size_t> lent;
        std::uint64_t durable = 0;
        for (int step = 0; step < 200; ++step) {
            const bool offers = random.chance(30) && missing.size() < 40;
            if (offers) {
                const std::size_t records = random.below(5);
                auto& pending = delivery.accept(batch(missing.size() + 1, records), records, 1);
                delivery.handed(pending, records);
                alive.push_back(&pending);
                missing.push_back(records);
                lent.push_back(records);
            } else if (!missing.empty()) {
                const std::size_t which = random.below(missing.size());
                if (lent[which] > 0) {
                    --lent[which];
                    if (random.chance(2)) {
                        (void)delivery.failed({.tag = {alive[which]->number(), 0}});
                    } else {
                        --missing[which];
                        delivery.written({alive[which]->number(), 1});
                    }
                }
            }
            delivery.advance();
            while (durable < missing.size() && missing[durable] == 0) ++durable;
            ASSERT_EQ(delivery.durable(kStreamLane).commit.value, durable) << "seed " << seed;
            ASSERT_EQ(delivery.batches(), missing.size() - durable);
        }
        const auto count = std::ranges::count_if(lent, [](std::size_t n) { return n > 0; });
        EXPECT_EQ(delivery.give_up().size(), static_cast<std::size_t>(count));
    }
}

}  // namespace
}  // namespace pgc
