#include "pipeline/key_changes.h"

#include <gtest/gtest.h>

#include <string>

#include "support/changes.h"

namespace pgc {
namespace {

using test::Changes;
using test::users;

class KeyChangesTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(1, Lsn{5}); }

    Batch& split() {
        split_key_changes(changes_.batch());
        return changes_.batch();
    }
    Change& update(std::string_view from, std::string_view to) {
        return changes_.update(users_, {changes_.text(from), Changes::absent()},
                               {changes_.text(to), changes_.text("b")});
    }

    const Relation users_ = users();
    Changes changes_;
};

TEST_F(KeyChangesTest, AnotherKeyIsARemovalAndAnInsertionWithOneOrdinal) {
    update("1", "2");
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 2U);
    const Change& removed = batch.changes[0];
    EXPECT_EQ(removed.operation, Operation::remove);
    EXPECT_EQ(removed.part, Change::Part::old_key);
    EXPECT_EQ(removed.before[0].bytes(), "1");
    EXPECT_EQ(removed.after, nullptr);
    const Change& inserted = batch.changes[1];
    EXPECT_EQ(inserted.operation, Operation::insert);
    EXPECT_EQ(inserted.part, Change::Part::new_key);
    EXPECT_EQ(inserted.before, nullptr);
    EXPECT_EQ(inserted.after[0].bytes(), "2");
    EXPECT_EQ(inserted.ordinal, removed.ordinal);
    EXPECT_EQ(batch.transactions[0].count, 2U);
}

TEST_F(KeyChangesTest, EverythingElseStaysWhatItIs) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.update(users_, {changes_.text("1"), Changes::null()});
    update("1", "1");
    changes_.update(users_, {changes_.text("1"), Changes::null()},
                    {Changes::unchanged(), Changes::null()});
    changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    changes_.truncate(users_);
    changes_.message("p", "c", false);
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 7U);
    for (const Change& change : batch.changes) EXPECT_EQ(change.part, Change::Part::whole);
}

TEST_F(KeyChangesTest, TransactionsFollowTheirChanges) {
    changes_.insert(users_, {changes_.text("0"), Changes::null()});
    update("1", "2");
    changes_.begin(2, Lsn{6});
    changes_.begin(3, Lsn{7});
    update("3", "4");
    update("4", "4");
    update("4", "5");
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 8U);
    std::size_t next = 0;
    for (const Transaction& part : batch.transactions) {
        EXPECT_EQ(part.first, next);
        next += part.count;
    }
    EXPECT_EQ(next, 8U);
    EXPECT_EQ(batch.transactions[0].count, 3U);
    EXPECT_EQ(batch.transactions[1].count, 0U);
    EXPECT_EQ(batch.transactions[2].count, 5U);
    EXPECT_EQ(batch.changes[5].operation, Operation::update);
    EXPECT_EQ(batch.changes[7].after[0].bytes(), "5");
}

TEST_F(KeyChangesTest, WhatWasNotSentOfTheNewRowIsTakenFromTheOldOne) {
    changes_
        .update(users_, {changes_.text("1"), changes_.text("long")},
                {changes_.text("2"), Changes::unchanged()})
        .before_is_full = true;
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 2U);
    EXPECT_TRUE(batch.changes[0].before_is_full);
    EXPECT_EQ(batch.changes[1].after[1].bytes(), "long");
}

TEST_F(KeyChangesTest, WhatNobodyKnowsStaysUnchanged) {
    changes_.update(users_, {changes_.text("1"), Changes::absent()},
                    {changes_.text("2"), Changes::unchanged()});
    EXPECT_EQ(split().changes.at(1).after[1].state, Cell::State::unchanged);
}

TEST_F(KeyChangesTest, WithoutAKeyThereIsNoOtherOne) {
    Relation keyless = users();
    keyless.key.clear();
    keyless.identity = ReplicaIdentity::full;
    changes_.update(keyless, {changes_.text("1"), changes_.text("a")},
                    {changes_.text("2"), changes_.text("a")});
    EXPECT_EQ(split().changes.size(), 1U);
}

TEST_F(KeyChangesTest, AConfiguredKeyIsWhatCounts) {
    Relation by_name = users();
    by_name.identity = ReplicaIdentity::full;
    by_name.message_key = {1};
    const auto row = [&](std::string_view id, std::string_view name) {
        return Changes::Cells{changes_.text(id), changes_.text(name)};
    };
    changes_.update(by_name, row("1", "a"), row("2", "a"));
    changes_.update(by_name, row("1", "a"), row("1", "b"));
    changes_.update(by_name, {changes_.text("1"), Changes::null()}, row("1", "b"));
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 5U);
    EXPECT_EQ(batch.changes[0].operation, Operation::update);
    EXPECT_EQ(batch.changes[1].operation, Operation::remove);
    EXPECT_EQ(batch.changes[1].before[1].bytes(), "a");
    EXPECT_EQ(batch.changes[2].after[1].bytes(), "b");
    EXPECT_EQ(batch.changes[3].operation, Operation::remove);
    EXPECT_EQ(batch.changes[3].before[1].state, Cell::State::null);
}

TEST_F(KeyChangesTest, AConfiguredKeyThatIsOnlyPartlyKnownOfTheOldRowIsNotSplit) {
    Relation by_both = users();
    by_both.message_key = {0, 1};
    changes_.update(by_both, {changes_.text("1"), Changes::absent()},
                    {changes_.text("2"), changes_.text("b")});
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].part, Change::Part::whole) << "it is refused as one";
}

TEST_F(KeyChangesTest, AUniqueIndexsKeyIsSplitLikeAPrimaryKey) {
    Relation unique = users();
    unique.key.clear();
    unique.identity = ReplicaIdentity::full;
    unique.unique_key = {1};
    const auto row = [&](std::string_view id, std::string_view name) {
        return Changes::Cells{changes_.text(id), changes_.text(name)};
    };
    changes_.update(unique, row("1", "a"), row("2", "a"));
    changes_.update(unique, row("2", "a"), row("2", "b"));
    const Batch& batch = split();
    ASSERT_EQ(batch.changes.size(), 3U);
    EXPECT_EQ(batch.changes[0].operation, Operation::update);
    EXPECT_EQ(batch.changes[1].operation, Operation::remove);
    EXPECT_EQ(batch.changes[1].before[1].bytes(), "a");
    EXPECT_EQ(batch.changes[2].after[1].bytes(), "b");
}

TEST_F(KeyChangesTest, ABatchOfNothingStaysThat) {
    EXPECT_TRUE(split().changes.empty());
    Batch none;
    split_key_changes(none);
    EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace pgc
