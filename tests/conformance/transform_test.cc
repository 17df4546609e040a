// What core/transform.h promises, asked of every transform.
//
// A new transform: a line in kTransforms.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/native/native_format.h"
#include "support/changes.h"
#include "support/encode.h"
#include "support/transforms.h"

namespace pgc {
namespace {

using test::Changes;
using Slots = std::shared_ptr<RelationSlots>;

struct Made {
    std::string_view name;
    std::unique_ptr<Transform> (*make)(const Slots& slots);

    friend void PrintTo(const Made& made, std::ostream* out) { *out << made.name; }
};

std::unique_ptr<Transform> dropping(const Slots&) {
    return std::make_unique<test::DroppingTransform>(
        [](const Transaction&, const Change& change) { return change.ordinal % 3 != 1; });
}
std::unique_ptr<Transform> dropping_all(const Slots&) {
    return std::make_unique<test::DroppingTransform>(
        [](const Transaction&, const Change&) { return false; });
}
std::unique_ptr<Transform> renaming(const Slots& slots) {
    return std::make_unique<test::RenamingTransform>("_shown", slots);
}
std::unique_ptr<Transform> doubling(const Slots&) {
    return std::make_unique<test::DoublingTransform>();
}

const Made kTransforms[] = {
    {"dropping", dropping},
    {"dropping_all", dropping_all},
    {"renaming", renaming},
    {"doubling", doubling},
};

class TransformConformanceTest : public testing::TestWithParam<Made> {
protected:
    void SetUp() override { transform_ = GetParam().make(slots_); }
    RelationPtr table(std::string name) const {
        Relation made = test::users();
        made.name = std::move(name);
        return slots_->make(std::move(made));
    }
    // Transactions of 0 to 5 changes; the last one may go on in another batch.
    void fill(Changes& changes, std::uint32_t seed) {
        std::mt19937 random{seed};
        const auto count = 1 + random() % 4;
        for (std::uint32_t xid = 1; xid <= count; ++xid) {
            changes.begin(xid, Lsn{std::uint64_t{100} * xid});
            for (auto rows = random() % 6; rows > 0; --rows) {
                const Relation& relation = random() % 2 == 0 ? *users_ : *orders_;
                switch (random() % 5) {
                    case 0: changes.message("p", "c", true); break;
                    case 1: changes.truncate(relation); break;
                    case 2: changes.remove(relation, {changes.text("1"), Changes::absent()}); break;
                    default: changes.insert(relation, {changes.text("1"), changes.text("a")});
                }
            }
        }
        Batch& batch = changes.batch();
        batch.hold(users_);
        batch.hold(orders_);
        batch.resume_at = Lsn{std::uint64_t{100} * count + 5};
        if (random() % 2 == 0) {
            batch.transactions.back().ends = false;
            batch.end = {batch.transactions.back().commit_lsn, 9};
        }
    }

    const Slots slots_ = std::make_shared<RelationSlots>();
    const RelationPtr users_ = table("users");
    const RelationPtr orders_ = table("orders");
    std::unique_ptr<Transform> transform_;
};

TEST_P(TransformConformanceTest, TheBatchStaysWhatItIsAroundItsChanges) {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        Changes changes;
        fill(changes, seed);
        Batch& batch = changes.batch();
        const std::vector<Transaction> before = batch.transactions;
        const std::vector<Change> shown = batch.changes;
        const Position end = batch.end;
        const Lsn resume_at = batch.resume_at;
        ASSERT_TRUE(transform_->apply(batch));
        EXPECT_EQ(batch.end, end);
        EXPECT_EQ(batch.resume_at, resume_at);
        EXPECT_EQ(batch.lane, kStreamLane);
        ASSERT_EQ(batch.transactions.size(), before.size());
        std::size_t next = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            const Transaction& part = batch.transactions[i];
            EXPECT_EQ(part.commit_lsn, before[i].commit_lsn);
            EXPECT_EQ(part.ends, before[i].ends);
            ASSERT_EQ(part.first, next) << "seed " << seed;
            // Ordinals are those that were there, in their order.
            std::size_t from = before[i].first;
            const std::size_t to = from + before[i].count;
            for (std::size_t j = part.first; j < std::size_t{part.first} + part.count; ++j) {
                while (from < to && shown[from].ordinal < batch.changes[j].ordinal) ++from;
                ASSERT_LT(from, to) << "seed " << seed << ": an ordinal that was nobody's";
                ASSERT_EQ(shown[from].ordinal, batch.changes[j].ordinal);
            }
            next += part.count;
        }
        ASSERT_EQ(next, batch.changes.size());
    }
}

TEST_P(TransformConformanceTest, RelationsAreHeldByTheBatchAndHaveSlotsOfTheirOwn) {
    std::vector<RelationPtr> known{users_, orders_};
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        Changes changes;
        fill(changes, seed);
        ASSERT_TRUE(transform_->apply(changes.batch()));
        const auto& held = changes.batch().relations();
        for (const Change& change : changes.batch().changes) {
            if (change.relation == nullptr) continue;
            const auto found = std::ranges::find(held, change.relation, &RelationPtr::get);
            ASSERT_NE(found, held.end()) << "nobody keeps it alive";
            if (std::ranges::find(known, *found) == known.end()) known.push_back(*found);
        }
    }
    std::set<std::uint32_t> slots;
    for (const RelationPtr& relation : known) slots.insert(relation->slot);
    EXPECT_EQ(slots.size(), known.size()) << "two relations share a slot";
    EXPECT_LE(known.size(), 4U) << "a relation is made once for each that it comes from";
}

TEST_P(TransformConformanceTest, WhatItShowsCanBeWritten) {
    NativeFormat format{{}, {.version = "0", .database = "shop"}};
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        Changes changes;
        fill(changes, seed);
        ASSERT_TRUE(transform_->apply(changes.batch()));
        RecordBatch out;
        ASSERT_TRUE(test::encode_all(format, changes.batch(), out));
        ASSERT_EQ(out.records.size(), changes.batch().changes.size());
    }
}

INSTANTIATE_TEST_SUITE_P(Transforms, TransformConformanceTest, testing::ValuesIn(kTransforms),
                         [](const auto& made) { return std::string{made.param.name}; });

}  // namespace
}  // namespace pgc
