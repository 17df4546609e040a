#include "core/by_slot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"

namespace pgc {
namespace {

Relation called(std::string name) {
    Relation relation;
    relation.name = std::move(name);
    return relation;
}

TEST(RelationSlotsTest, ASlotIsGivenOutAgainWhenItsRelationIsGone) {
    RelationSlots slots;
    RelationPtr first = slots.make(called("a"));
    const RelationPtr second = slots.make(called("b"));
    EXPECT_EQ(first->slot, 0U);
    EXPECT_EQ(second->slot, 1U);
    const auto serial = first->serial;
    RelationPtr kept = first;
    first.reset();
    EXPECT_EQ(slots.make(called("c"))->slot, 2U) << "a batch has it still";
    kept.reset();
    const RelationPtr third = slots.make(called("c"));
    EXPECT_EQ(third->slot, 0U);
    EXPECT_NE(third->serial, serial);
}

TEST(RelationSlotsTest, RelationsOutliveWhatMadeThem) {
    RelationPtr relation;
    {
        RelationSlots slots;
        relation = slots.make(called("a"));
    }
    EXPECT_EQ(relation->name, "a");
    relation.reset();
}

TEST(BySlotTest, WhatWasDecidedForOneIsNotThereForTheNextInItsSlot) {
    RelationSlots slots;
    BySlot<std::string> decided;
    RelationPtr relation = slots.make(called("a"));
    EXPECT_EQ(decided.find(*relation), nullptr);
    decided.keep(*relation, "a");
    EXPECT_EQ(*decided.find(*relation), "a");
    relation.reset();
    relation = slots.make(called("b"));
    ASSERT_EQ(relation->slot, 0U);
    EXPECT_EQ(decided.find(*relation), nullptr);
    decided.keep(*relation, "b");
    EXPECT_EQ(*decided.find(*relation), "b");
}

TEST(BySlotTest, HoldsNoMoreThanThereAreRelationsAtATime) {
    RelationSlots slots;
    BySlot<std::shared_ptr<int>> decided;
    std::vector<std::weak_ptr<int>> all;
    for (int i = 0; i < 1000; ++i) {
        const RelationPtr relation = slots.make(called("a"));
        auto value = std::make_shared<int>(i);
        all.push_back(value);
        decided.keep(*relation, std::move(value));
    }
    std::size_t left = 0;
    for (const auto& one : all) left += one.expired() ? 0 : 1;
    EXPECT_EQ(left, 1U);
}

TEST(BySlotTest, AllAreDroppedWhenThereAreTooMany) {
    RelationSlots slots;
    BySlot<int, 3> decided;
    std::vector<RelationPtr> relations;
    for (int i = 0; i < 4; ++i) {
        relations.push_back(slots.make(called("a")));
        decided.keep(*relations.back(), i);
        decided.keep(*relations.back(), i);  // it takes no more room
    }
    EXPECT_EQ(decided.find(*relations[0]), nullptr);
    EXPECT_EQ(*decided.find(*relations[3]), 3);
}

// Tables are altered and dropped while batches with their rows are on the way to another thread,
// which decides for itself and lets go of the batches. Both go by what they have decided.
class InFlightTest : public testing::TestWithParam<std::uint64_t> {
protected:
    struct Batch {
        std::vector<RelationPtr> relations;
        std::vector<const Relation*> rows;
    };
    using Decided = BySlot<std::string, 20>;

    static void use(Decided& decided, const Batch& batch) {
        for (const Relation* row : batch.rows) {
            std::string* plan = decided.find(*row);
            if (plan == nullptr) plan = decided.keep(*row, row->name);
            ASSERT_EQ(*plan, row->name);
        }
    }

    Batch next(Random& random) {
        Batch batch;
        for (auto& table : tables_) {
            if (table == nullptr || random.chance(20)) {
                table = slots_.make(called(std::to_string(++versions_)));
            }
            if (random.chance(10)) table.reset();
            if (table != nullptr && random.chance(60)) batch.relations.push_back(table);
        }
        for (std::size_t i = 0; !batch.relations.empty() && i < 20; ++i) {
            batch.rows.push_back(batch.relations[random.below(batch.relations.size())].get());
        }
        return batch;
    }

    void consume() {
        Decided decided;
        for (;;) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return !on_the_way_.empty() || ended_; });
            if (on_the_way_.empty()) return;
            const auto batch = std::move(on_the_way_.front());
            on_the_way_.pop_front();
            lock.unlock();
            changed_.notify_all();
            use(decided, *batch);
        }
    }

    RelationSlots slots_;
    std::array<RelationPtr, 8> tables_;
    int versions_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Batch>> on_the_way_;
    bool ended_ = false;
};

TEST_P(InFlightTest, EachRowIsWrittenByThePlanOfItsOwnVersion) {
    Random random{GetParam()};
    Decided decided;
    std::uint32_t slots = 0;
    std::thread sink{[this] { consume(); }};
    for (int i = 0; i < 500; ++i) {
        auto batch = std::make_unique<Batch>(next(random));
        use(decided, *batch);
        for (const RelationPtr& relation : batch->relations) {
            slots = std::max(slots, relation->slot);
        }
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return on_the_way_.size() < 5; });
        on_the_way_.push_back(std::move(batch));
        changed_.notify_all();
    }
    {
        const std::scoped_lock lock{mutex_};
        ended_ = true;
    }
    changed_.notify_all();
    sink.join();
    EXPECT_GT(versions_, 500);
    // The tables' own, those of seven batches, and one that is made.
    EXPECT_LE(slots, 8U * 9);
}

INSTANTIATE_TEST_SUITE_P(Seeds, InFlightTest, testing::Range(std::uint64_t{1}, std::uint64_t{21}));

}  // namespace
}  // namespace pgc
