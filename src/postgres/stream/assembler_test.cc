#include "postgres/stream/assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/assembler_fixture.h"

namespace pgc {
namespace {

using ::testing::IsEmpty;

// ---- whole transactions

TEST_F(AssemblerTest, ATransactionArrivesWithItsRowsInOrder) {
    feed(testing::begin(kCommit, 567));
    declare_users();
    EXPECT_EQ(feed(testing::insert(Lsn{0x800}, kUsers, user("1"))), Taken::kept);
    EXPECT_EQ(feed(testing::update(Lsn{0x880}, kUsers, user("1", "Joe"))), Taken::kept);
    EXPECT_EQ(feed(testing::remove(Lsn{0x900}, kUsers, 'K', {"1", kNull, kNull})), Taken::kept);
    EXPECT_EQ(feed(testing::commit(kCommit, kEnd)), Taken::done);

    ASSERT_EQ(batch_.transactions.size(), 1U);
    const Transaction& transaction = batch_.transactions[0];
    EXPECT_EQ(transaction.xid, Xid{567});
    EXPECT_EQ(transaction.commit_lsn, kCommit);
    EXPECT_EQ(transaction.end_lsn, kEnd);
    EXPECT_EQ(transaction.committed_at.unix_us, 946'684'800'000'000 + 1000);
    EXPECT_EQ(transaction.first, 0U);
    EXPECT_EQ(transaction.count, 3U);
    EXPECT_TRUE(transaction.ends);
    ASSERT_EQ(batch_.changes.size(), 3U);
    EXPECT_EQ(batch_.changes[0].operation, Operation::insert);
    EXPECT_EQ(batch_.changes[1].operation, Operation::update);
    EXPECT_EQ(batch_.changes[2].operation, Operation::remove);
    EXPECT_EQ(batch_.changes[1].lsn, Lsn{0x880});
    EXPECT_EQ(batch_.changes[2].ordinal, 3U);
    EXPECT_EQ(batch_.end, Position::whole(kCommit));
    EXPECT_EQ(batch_.resume_at, kEnd);
    EXPECT_FALSE(assembler_->in_transaction());
}

TEST_F(AssemblerTest, AnInsertHasOnlyANewRow) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    const Change& change = batch_.changes.at(0);
    EXPECT_EQ(change.before, nullptr);
    ASSERT_NE(change.after, nullptr);
    EXPECT_EQ(text(change.after[0]), "1");
    EXPECT_EQ(text(change.after[1]), "Jane");
    EXPECT_EQ(change.after[1].state, Cell::State::text);
    EXPECT_EQ(qualified_name(*change.relation), "public.users");
}

TEST_F(AssemblerTest, CellsPointIntoTheMessage) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    const std::string_view message = messages_.back().view();
    const Cell& cell = batch_.changes.at(0).after[1];
    EXPECT_GE(cell.data, message.data());
    EXPECT_LE(cell.data + cell.size, message.data() + message.size());
}

TEST_F(AssemblerTest, ATableWithoutColumnsHasRowsThatAreThere) {
    feed(testing::begin(kCommit, 2));
    feed(testing::relation(kUsers, "public", "nothing", 'd', {}));
    feed(testing::insert(kRow, kUsers, {}));
    ASSERT_EQ(batch_.changes.size(), 1U);
    EXPECT_NE(batch_.changes[0].after, nullptr);
}

TEST_F(AssemblerTest, BinaryValuesAreMarkedAsSuch) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1", Sent{'b', "Jane"}, kNull)));
    EXPECT_EQ(batch_.changes.at(0).after[1].state, Cell::State::binary);
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::null);
}

TEST_F(AssemblerTest, AnEmptyTransactionEntersWithNothing) {
    feed(testing::begin(kCommit, 2));
    EXPECT_TRUE(batch_.empty());
    feed(testing::commit(kCommit, kEnd));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 0U);
    EXPECT_TRUE(batch_.transactions[0].ends);
    EXPECT_EQ(batch_.resume_at, kEnd);
    EXPECT_EQ(batch_.end, Position::whole(kCommit));
}

TEST_F(AssemblerTest, ManyTransactionsShareABatch) {
    with_users();
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Lsn commit{0x1000 + i * 0x100};
        feed(testing::begin(commit, 2));
        feed(testing::insert(kRow, kUsers, user("1")));
        feed(testing::commit(commit, Lsn{commit.value + 0x30}));
    }
    ASSERT_EQ(batch_.transactions.size(), 3U);
    EXPECT_EQ(batch_.transactions[2].first, 2U);
    EXPECT_EQ(batch_.transactions[2].count, 1U);
    EXPECT_EQ(batch_.changes[2].ordinal, 1U);
    EXPECT_EQ(batch_.resume_at, Lsn{0x1230});
}

TEST_F(AssemblerTest, ACommitsEndMayBeTheNextOnesRows) {
    with_users();
    feed(testing::begin(Lsn{0x1000}, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    feed(testing::commit(Lsn{0x1000}, Lsn{0x1030}));
    // The next transaction begins, writes and commits where the first one ended.
    feed(testing::begin(Lsn{0x1060}, 3, Lsn{0x1030}));
    feed(testing::insert(Lsn{0x1030}, kUsers, user("2")));
    feed(testing::commit(Lsn{0x1060}, Lsn{0x1090}));
    ASSERT_EQ(batch_.transactions.size(), 2U);
    EXPECT_EQ(batch_.changes[1].lsn, batch_.transactions[0].end_lsn);
    EXPECT_EQ(batch_.changes[1].ordinal, 1U);
    EXPECT_EQ(batch_.end, Position::whole(Lsn{0x1060}));
}

TEST_F(AssemblerTest, RowsOfACopyShareAnLsnAndDifferByOrdinal) {
    with_users();
    feed(testing::begin(kCommit, 2, kRow));
    for (const char* id : {"1", "2", "3"}) feed(testing::insert(kRow, kUsers, user(id)));
    ASSERT_EQ(batch_.changes.size(), 3U);
    for (std::uint64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(batch_.changes[i].lsn, kRow);
        EXPECT_EQ(batch_.changes[i].ordinal, i + 1);
    }
}

// ---- old rows

TEST_F(AssemblerTest, AKeyUpdateBringsTheOldKeyOnly) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, 'K', {"1", kNull, kNull}, user("2")));
    const Change& change = batch_.changes.at(0);
    ASSERT_NE(change.before, nullptr);
    EXPECT_FALSE(change.before_is_full);
    EXPECT_EQ(text(change.before[0]), "1");
    EXPECT_EQ(change.before[1].state, Cell::State::absent);
    EXPECT_EQ(change.before[2].state, Cell::State::absent);
    EXPECT_EQ(text(change.after[0]), "2");
}

TEST_F(AssemblerTest, AFullOldRowSaysSoAndKeepsItsNulls) {
    with_users('f');
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, 'O', {"1", kNull, "old"}, user("1")));
    const Change& change = batch_.changes.at(0);
    EXPECT_TRUE(change.before_is_full);
    EXPECT_EQ(change.before[1].state, Cell::State::null);
    EXPECT_EQ(text(change.before[2]), "old");
}

TEST_F(AssemblerTest, ADeleteHasNoNewRow) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::remove(kRow, kUsers, 'K', {"1", kNull, kNull}));
    EXPECT_EQ(batch_.changes.at(0).after, nullptr);
    EXPECT_EQ(text(batch_.changes[0].before[0]), "1");
}

// ---- values that were not sent

TEST_F(AssemblerTest, AnUnchangedValueStaysUnknownNeverNull) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, user("1", "Jane", kUnchanged)));
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::unchanged);
}

TEST_F(AssemblerTest, AnUnchangedValueIsTakenFromTheFullOldRow) {
    with_users('f');
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, 'O', {"1", "Jane", "long"}, user("1", "J", kUnchanged)));
    const Cell& cell = batch_.changes.at(0).after[2];
    EXPECT_EQ(cell.state, Cell::State::text);
    EXPECT_EQ(text(cell), "long");
    EXPECT_FALSE(cell.reselected);
}

TEST_F(AssemblerTest, AnUnchangedKeyIsTakenFromTheOldKey) {
    feed(testing::begin(kCommit, 2));
    feed(testing::relation(kUsers, "public", "wide", 'd', {{"id", 25, true}, {"b", 25, true}}));
    feed(testing::update(kRow, kUsers, 'K', {"1", "long key"}, {"2", kUnchanged}));
    EXPECT_EQ(text(batch_.changes.at(0).after[1]), "long key");
}

TEST_F(AssemblerTest, WhatTheOldKeyLacksStaysUnknown) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, 'K', {"1", kNull, kNull}, user("2", "J", kUnchanged)));
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::unchanged);
}

TEST_F(AssemblerTest, AnOldRowThatIsUnchangedItselfHelpsNobody) {
    with_users('f');
    feed(testing::begin(kCommit, 2));
    feed(testing::update(kRow, kUsers, 'O', {"1", "J", kUnchanged}, user("1", "J", kUnchanged)));
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::unchanged);
}

TEST_F(AssemblerTest, ReselectingStopsAtTheRowUntilItsValuesAreThere) {
    start(true);
    with_users();
    feed(testing::begin(kCommit, 2));
    const auto row = testing::update(kRow, kUsers, user("7", "Jane", kUnchanged));
    EXPECT_EQ(feed(row), Taken::reselect);
    EXPECT_TRUE(batch_.changes.empty());
    EXPECT_EQ(assembler_->wanted().relation->name, "users");
    EXPECT_EQ(text(assembler_->wanted().row[0]), "7");

    assembler_->provide({.columns = {{.place = 2, .text = "as it is now"}}});
    EXPECT_EQ(feed(row), Taken::kept);
    const Change& change = batch_.changes.at(0);
    EXPECT_EQ(change.ordinal, 1U);
    EXPECT_EQ(text(change.after[2]), "as it is now");
    EXPECT_TRUE(change.after[2].reselected);
    EXPECT_FALSE(change.after[1].reselected);
}

TEST_F(AssemblerTest, AReselectedNullIsNull) {
    start(true);
    with_users();
    feed(testing::begin(kCommit, 2));
    const auto row = testing::update(kRow, kUsers, user("7", "Jane", kUnchanged));
    feed(row);
    assembler_->provide({.columns = {{.place = 2, .text = std::nullopt}}});
    feed(row);
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::null);
    EXPECT_TRUE(batch_.changes[0].after[2].reselected);
}

TEST_F(AssemblerTest, ARowThatIsGoneStaysUnchanged) {
    start(true);
    with_users();
    feed(testing::begin(kCommit, 2));
    const auto row = testing::update(kRow, kUsers, user("7", "Jane", kUnchanged));
    feed(row);
    assembler_->provide({});
    EXPECT_EQ(feed(row), Taken::kept);
    EXPECT_EQ(batch_.changes.at(0).after[2].state, Cell::State::unchanged);
    EXPECT_FALSE(batch_.changes[0].after[2].reselected);
}

TEST_F(AssemblerTest, NothingIsReselectedThatTheOldRowHas) {
    start(true);
    with_users('f');
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(feed(testing::update(kRow, kUsers, 'O', {"1", "J", "x"}, user("1", "J", kUnchanged))),
              Taken::kept);
}

TEST_F(AssemblerTest, AReselectWhoseBatchWasHandedOnGoesIntoTheNextOne) {
    start(true);
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("6")));
    const auto row = testing::update(kRow, kUsers, user("7", "Jane", kUnchanged));
    EXPECT_EQ(feed(row), Taken::reselect);
    EXPECT_EQ(batch_.end, (Position{kCommit, 1}));
    next_batch();
    assembler_->provide({.columns = {{.place = 2, .text = "now"}}});
    EXPECT_EQ(feed(row), Taken::kept);
    EXPECT_EQ(batch_.changes.at(0).ordinal, 2U);
    EXPECT_EQ(batch_.transactions.at(0).count, 1U);
}

// ---- parts of transactions

TEST_F(AssemblerTest, ABatchMayEndInsideATransaction) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    feed(testing::insert(kRow, kUsers, user("2")));
    EXPECT_EQ(batch_.end, (Position{kCommit, 2}));
    EXPECT_EQ(batch_.resume_at, Lsn{});
    EXPECT_FALSE(batch_.transactions.at(0).ends);
    EXPECT_EQ(batch_.transactions[0].end_lsn, Lsn{});
}

TEST_F(AssemblerTest, TheNextBatchGoesOnWithTheSameTransaction) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    next_batch();
    EXPECT_TRUE(batch_.empty());
    feed(testing::insert(kRow, kUsers, user("2")));
    feed(testing::commit(kCommit, kEnd));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].xid, Xid{2});
    EXPECT_EQ(batch_.transactions[0].commit_lsn, kCommit);
    EXPECT_EQ(batch_.transactions[0].count, 1U);
    EXPECT_TRUE(batch_.transactions[0].ends);
    EXPECT_EQ(batch_.changes.at(0).ordinal, 2U);
}

TEST_F(AssemblerTest, ACommitAloneInItsBatchStillEndsTheTransaction) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    next_batch();
    feed(testing::commit(kCommit, kEnd));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 0U);
    EXPECT_TRUE(batch_.transactions[0].ends);
    EXPECT_EQ(batch_.resume_at, kEnd);
}

TEST_F(AssemblerTest, ReadingOnIntoTheSameBatchContinuesTheSameExtent) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    assembler_->enter(batch_);
    feed(testing::insert(kRow, kUsers, user("2")));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 2U);
}

TEST_F(AssemblerTest, ABeginAloneLeavesTheBatchEmpty) {
    feed(testing::begin(kCommit, 2));
    EXPECT_TRUE(batch_.empty());
    EXPECT_TRUE(assembler_->in_transaction());
    next_batch();
    feed(testing::commit(kCommit, kEnd));
    EXPECT_EQ(batch_.transactions.at(0).commit_lsn, kCommit);
}

TEST_F(AssemblerTest, AMillionRowsInBatchesLoseNone) {
    with_users();
    feed(testing::begin(kCommit, 2));
    const testing::ExactCopy row{testing::insert(kRow, kUsers, user("1"))};
    std::uint64_t seen = 0;
    for (int batch = 0; batch < 100; ++batch) {
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(assembler_->take(row.view(), batch_));
        EXPECT_EQ(batch_.changes.front().ordinal, seen + 1);
        seen += batch_.changes.size();
        next_batch();
    }
    EXPECT_EQ(seen, 10'000U);
}

// ---- filters

TEST_F(AssemblerTest, RowsOfATableLeftOutAreCountedButNotShown) {
    with_users();
    feed(testing::begin(kCommit, 2));
    declare_audit();
    EXPECT_EQ(feed(testing::insert(kRow, kAudit, {"1"})), Taken::done);
    feed(testing::insert(kRow, kUsers, user("1")));
    ASSERT_EQ(batch_.changes.size(), 1U);
    EXPECT_EQ(batch_.changes[0].ordinal, 2U);
    EXPECT_EQ(batch_.transactions.at(0).count, 1U);
}

TEST_F(AssemblerTest, AFilteredTransactionEntersWithNothing) {
    feed(testing::begin(kCommit, 2));
    declare_audit();
    feed(testing::insert(kRow, kAudit, {"1"}));
    feed(testing::commit(kCommit, kEnd));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 0U);
    EXPECT_EQ(batch_.resume_at, kEnd);
    EXPECT_THAT(batch_.changes, IsEmpty());
}

TEST_F(AssemblerTest, FilteredRowsMoveThePositionToo) {
    feed(testing::begin(kCommit, 2));
    declare_audit();
    feed(testing::insert(kRow, kAudit, {"1"}));
    EXPECT_EQ(batch_.end, (Position{kCommit, 1}));
}

// ---- schema changes

TEST_F(AssemblerTest, EachRowHasTheSchemaInForceForIt) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    feed(testing::relation(kUsers, "public", "users", 'd',
                           {{"id", 23, true}, {"name"}, {"bio"}, {"age", 23}}));
    feed(testing::insert(kRow, kUsers, {"2", "Joe", "y", "42"}));
    ASSERT_EQ(batch_.changes.size(), 2U);
    EXPECT_EQ(batch_.changes[0].relation->columns.size(), 3U);
    EXPECT_EQ(batch_.changes[1].relation->columns.size(), 4U);
    EXPECT_NE(batch_.changes[0].relation->slot, batch_.changes[1].relation->slot);
    EXPECT_EQ(text(batch_.changes[1].after[3]), "42");
}

TEST_F(AssemblerTest, ARelationSentAgainUnchangedKeepsItsSlot) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    declare_users();
    feed(testing::insert(kRow, kUsers, user("2")));
    EXPECT_EQ(batch_.changes.at(0).relation, batch_.changes.at(1).relation);
}

TEST_F(AssemblerTest, ARowWaitsForTheCatalogWithItsRelation) {
    feed(testing::begin(kCommit, 2));
    const auto taken = give(testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}}));
    ASSERT_TRUE(taken);
    EXPECT_EQ(*taken, Taken::catalog);
    EXPECT_TRUE(relations_->question());
}

TEST_F(AssemblerTest, ATypeMessageChangesNoBatch) {
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(feed(testing::type(16500, "public", "mood")), Taken::done);
    EXPECT_TRUE(batch_.empty());
}

TEST_F(AssemblerTest, AnOriginIsReadAndNotUsed) {
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(feed(testing::origin(Lsn{5}, "other")), Taken::done);
    EXPECT_TRUE(batch_.empty());
}

// ---- truncate

TEST_F(AssemblerTest, TruncatingThreeTablesIsThreeChanges) {
    with_users();
    feed(testing::begin(kCommit, 2));
    declare_orders();
    declare_audit();
    feed(testing::truncate(kRow, {kUsers, kAudit, kOrders}, 3));
    ASSERT_EQ(batch_.changes.size(), 2U);
    EXPECT_EQ(batch_.changes[0].operation, Operation::truncate);
    EXPECT_EQ(batch_.changes[0].relation->name, "users");
    EXPECT_EQ(batch_.changes[0].ordinal, 1U);
    EXPECT_EQ(batch_.changes[1].relation->name, "orders");
    EXPECT_EQ(batch_.changes[1].ordinal, 3U);
    EXPECT_TRUE(batch_.changes[0].truncate_cascade);
    EXPECT_TRUE(batch_.changes[0].truncate_restarts_identity);
    EXPECT_EQ(batch_.transactions.at(0).count, 2U);
}

TEST_F(AssemblerTest, ATruncationOfAnUnknownTableIsRefused) {
    with_users();
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(refused(testing::truncate(kRow, {4711})).category, Error::Category::protocol);
}

}  // namespace
}  // namespace pgc
