// Prepared transactions: what comes of them is what would come of the same transactions sent after
// their commit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/assembler_fixture.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::in_block;
using ::testing::IsEmpty;

constexpr Lsn kPrepare{0x900};
constexpr Lsn kPrepared{0x940};

class AssemblerPreparedTest : public AssemblerTest {
protected:
    AssemblerPreparedTest() { start_two_phase(); }

    void start_two_phase(Lsn wanted_from = {}) {
        streamed_.reset();
        streamed_.emplace(
            StreamedTransactions::Deps{.folder = folder_, .limit = std::uint64_t{1} << 20});
        prepared_ = {};
        start(false, &*streamed_, &prepared_, wanted_from);
    }
    // With what `messages` are, from Begin Prepare to Prepare.
    void prepare(std::uint32_t xid, const std::vector<std::string>& messages, Lsn at = kPrepare) {
        feed(testing::prepared('b', xid, at, Lsn{at.value + 0x40}));
        for (const std::string& message : messages) EXPECT_EQ(feed(message), Taken::done);
        feed(testing::prepared('P', xid, at, Lsn{at.value + 0x40}));
    }
    void commit_prepared(std::uint32_t xid, Lsn commit = kCommit) {
        ASSERT_EQ(feed(testing::prepared('K', xid, commit, Lsn{commit.value + 0x30})),
                  Taken::replay);
        replay();
    }
    void replay() {
        while (assembler_->replaying()) {
            const auto taken = assembler_->replay(batch_);
            ASSERT_TRUE(taken) << describe(taken.error());
            if (*taken != Taken::catalog) continue;
            const auto question = relations_->question();
            ASSERT_TRUE(question);
            ASSERT_TRUE(relations_->answer(
                *question, {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
        }
    }
    void transaction(std::uint32_t xid, Lsn commit, const std::vector<std::string>& messages) {
        feed(testing::begin(commit, xid));
        for (const std::string& message : messages) feed(message);
        feed(testing::commit(commit, Lsn{commit.value + 8}));
    }
    static std::string users(std::vector<testing::SentColumn> columns = {{"id", 23, true},
                                                                         {"name", 25}}) {
        return testing::relation(kUsers, "public", "users", 'd', columns);
    }
    static std::string row(const char* id, const char* name = "x") {
        return testing::insert(kRow, kUsers, {id, name});
    }
    std::vector<std::string> ids() const {
        std::vector<std::string> all;
        for (const Change& change : batch_.changes) all.push_back(text(change.after[0]));
        return all;
    }

    SimulatedSpillFolder folder_;
    std::optional<StreamedTransactions> streamed_;
    PreparedTransactions prepared_;
};

TEST_F(AssemblerPreparedTest, NothingComesOfItBeforeItsCommit) {
    prepare(7, {users(), row("1"), row("2")});
    EXPECT_TRUE(batch_.empty());
    EXPECT_FALSE(assembler_->in_transaction());
    EXPECT_EQ(assembler_->received(), kPrepared);
    EXPECT_EQ(prepared_.undecided(), 1U);
    commit_prepared(7);
    EXPECT_THAT(ids(), ElementsAre("1", "2"));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    const Transaction& transaction = batch_.transactions[0];
    EXPECT_EQ(transaction.xid, Xid{7});
    EXPECT_EQ(transaction.commit_lsn, kCommit);
    EXPECT_TRUE(transaction.ends);
    EXPECT_EQ(batch_.end, Position::whole(kCommit));
    EXPECT_EQ(batch_.resume_at, kEnd);
    EXPECT_EQ(batch_.changes[1].ordinal, 2U);
    EXPECT_EQ(batch_.changes[1].lsn, kRow);
    EXPECT_THAT(folder_.files(), IsEmpty());
    EXPECT_EQ(prepared_.begin_for(kCommit), kPrepare);
}

TEST_F(AssemblerPreparedTest, OneThatIsRolledBackNeverWas) {
    prepare(7, {users(), row("1")});
    feed(testing::rollback_prepared(7, kPrepared, Lsn{0xA00}));
    EXPECT_TRUE(batch_.empty());
    EXPECT_THAT(folder_.files(), IsEmpty());
    EXPECT_EQ(prepared_.undecided(), 0U);
    EXPECT_EQ(assembler_->received(), Lsn{0xA00});
    feed(testing::rollback_prepared(8, Lsn{0x50}, Lsn{0xA10}));  // was never sent
}

TEST_F(AssemblerPreparedTest, OthersThatCommitMeanwhileFlow) {
    prepare(7, {users(), row("1")});
    transaction(8, Lsn{0xA00}, {row("2")});
    EXPECT_THAT(ids(), ElementsAre("2"));
    EXPECT_EQ(prepared_.begin_for(Lsn{0xA08}), kPrepare);
    commit_prepared(7);
    EXPECT_THAT(ids(), ElementsAre("2", "1"));
}

TEST_F(AssemblerPreparedTest, TheServerTakesWhatItAnnouncedInItForKnown) {
    prepare(7, {users(), row("1")});
    transaction(8, Lsn{0xA00}, {row("2")});
    feed(testing::rollback_prepared(7, kPrepared, Lsn{0xB00}));
    transaction(9, Lsn{0xC00}, {row("3")});
    EXPECT_THAT(ids(), ElementsAre("2", "3"));
}

TEST_F(AssemblerPreparedTest, ItsRowsHaveTheFormThatWasInForceForThem) {
    transaction(6, Lsn{0x100}, {users(), row("0")});
    prepare(7, {row("1", "old")});
    // A list of columns was altered meanwhile, which waits for nobody.
    transaction(8, Lsn{0xA00}, {users({{"id", 23, true}}), testing::insert(kRow, kUsers, {"2"})});
    next_batch();
    commit_prepared(7);
    ASSERT_THAT(ids(), ElementsAre("1"));
    ASSERT_EQ(batch_.changes[0].relation->columns.size(), 2U);
    EXPECT_EQ(text(batch_.changes[0].after[1]), "old");
    next_batch();
    transaction(9, Lsn{0x1100}, {testing::insert(kRow, kUsers, {"3"})});
    ASSERT_THAT(ids(), ElementsAre("3"));
    EXPECT_EQ(batch_.changes[0].relation->columns.size(), 1U);
}

TEST_F(AssemblerPreparedTest, ATableThatIsAlteredInItHasBothForms) {
    transaction(6, Lsn{0x100}, {users(), row("0")});
    next_batch();
    prepare(7, {row("1"), users({{"id", 23, true}, {"name", 25}, {"bio", 25}}),
                testing::insert(kRow, kUsers, {"2", "x", "y"})});
    commit_prepared(7);
    ASSERT_THAT(ids(), ElementsAre("1", "2"));
    EXPECT_EQ(batch_.changes[0].relation->columns.size(), 2U);
    EXPECT_EQ(batch_.changes[1].relation->columns.size(), 3U);
    next_batch();
    transaction(8, Lsn{0x1100}, {testing::insert(kRow, kUsers, {"3", "x", "y"})});
    EXPECT_EQ(batch_.changes[0].relation->columns.size(), 3U);
}

TEST_F(AssemblerPreparedTest, WhatIsInForceIsNotAskedAboutAgain) {
    prepare(7, {users(), row("1")});
    commit_prepared(7);
    EXPECT_FALSE(relations_->has_question());
}

TEST_F(AssemblerPreparedTest, OneThatWasStreamedEndsWithStreamPrepare) {
    feed(testing::stream_start(7, true));
    feed(in_block(7, users()));
    feed(in_block(7, row("1")));
    feed(in_block(8, row("lost")));
    feed(testing::stream_stop());
    feed(testing::stream_abort(7, 8));
    feed(testing::prepared('p', 7, kPrepare, kPrepared));
    EXPECT_TRUE(batch_.empty());
    EXPECT_EQ(prepared_.undecided(), 1U);
    commit_prepared(7);
    EXPECT_THAT(ids(), ElementsAre("1"));
}

TEST_F(AssemblerPreparedTest, OneWithoutRowsIsATransactionWithoutRows) {
    prepare(7, {});
    commit_prepared(7);
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 0U);
    EXPECT_TRUE(batch_.transactions[0].ends);
}

TEST_F(AssemblerPreparedTest, TruncationsAndMessagesOfItCount) {
    transaction(6, Lsn{0x100}, {users()});
    prepare(7, {testing::truncate(kRow, {kUsers}), testing::logical_message(kRow, true, "p", "c"),
                row("1")});
    next_batch();
    commit_prepared(7);
    ASSERT_EQ(batch_.changes.size(), 3U);
    EXPECT_EQ(batch_.changes[0].operation, Operation::truncate);
    EXPECT_EQ(batch_.changes[1].operation, Operation::message);
    EXPECT_EQ(batch_.changes[2].ordinal, 3U);
}

TEST_F(AssemblerPreparedTest, WhatCommitsBeforeThePlaceThatIsWantedIsLeftOut) {
    start_two_phase(Lsn{0x2000});
    transaction(6, Lsn{0x100}, {users(), row("0")});
    prepare(7, {row("1")}, Lsn{0x900});
    prepare(8, {row("2")}, Lsn{0x980});
    feed(testing::logical_message(Lsn{0xA00}, false, "p", "alone"));
    commit_prepared(7);
    EXPECT_EQ(assembler_->received(), kEnd);
    EXPECT_TRUE(batch_.empty());
    EXPECT_EQ(folder_.files().size(), 1U);
    commit_prepared(8, Lsn{0x2000});
    EXPECT_THAT(ids(), ElementsAre("2"));
    transaction(9, Lsn{0x2100}, {row("3")});
    EXPECT_THAT(ids(), ElementsAre("2", "3"));
}

// The server does not announce again what it announced in it.
TEST_F(AssemblerPreparedTest, OfAStreamedOneThatIsLeftOutItsTablesAreInForce) {
    start_two_phase(Lsn{0x2000});
    feed(testing::stream_start(7, true));
    feed(in_block(7, users()));
    feed(in_block(7, row("1")));
    feed(testing::stream_stop());
    ASSERT_EQ(feed(testing::stream_commit(7, kCommit, kEnd)), Taken::replay);
    replay();
    EXPECT_TRUE(batch_.empty());
    EXPECT_FALSE(assembler_->in_transaction());
    transaction(9, Lsn{0x2100}, {row("3")});
    EXPECT_THAT(ids(), ElementsAre("3"));
}

TEST_F(AssemblerPreparedTest, OneWhoseRowsNeverCameIsRefused) {
    const Error error = refused(testing::prepared('K', 7, kCommit, kEnd));
    EXPECT_EQ(error.category, Error::Category::position);
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_THAT(error.what, HasSubstr("somebody else"));
    start_two_phase(Lsn{0x2000});
    feed(testing::prepared('K', 7, kCommit, kEnd));  // it is not wanted
    EXPECT_TRUE(batch_.empty());
}

TEST_F(AssemblerPreparedTest, APlaceIsIdleOnlyBetweenThem) {
    feed(testing::prepared('b', 7, kPrepare, kPrepared));
    feed(testing::keepalive(Lsn{0xF00}));
    EXPECT_FALSE(assembler_->idle_at());
    feed(testing::prepared('P', 7, kPrepare, kPrepared));
    feed(testing::keepalive(Lsn{0xF00}));
    EXPECT_EQ(assembler_->idle_at(), Lsn{0xF00});
}

TEST_F(AssemblerPreparedTest, MessagesOutOfOrderAreRefused) {
    EXPECT_THAT(refused(testing::prepared('P', 7, kPrepare, kPrepared)).what,
                HasSubstr("did not ask for"));
    start_two_phase();
    EXPECT_THAT(refused(testing::prepared('p', 7, kPrepare, kPrepared)).what,
                HasSubstr("another prepared"));
    start_two_phase();
    feed(testing::prepared('b', 7, kPrepare, kPrepared));
    EXPECT_THAT(refused(testing::prepared('P', 8, kPrepare, kPrepared)).what,
                HasSubstr("another prepared"));
    start_two_phase();
    feed(testing::prepared('b', 7, kPrepare, kPrepared));
    EXPECT_THAT(refused(testing::begin(kCommit, 8)).what, HasSubstr("inside of a prepared one"));
    start_two_phase();
    feed(testing::prepared('b', 7, kPrepare, kPrepared));
    EXPECT_THAT(refused(row("1")).what, HasSubstr("never announced"));
    start_two_phase();
    prepare(7, {});
    EXPECT_THAT(refused(testing::prepared('b', 7, kPrepare, kPrepared)).what, HasSubstr("twice"));
}

TEST_F(AssemblerPreparedTest, WithoutRoomItIsAnErrorThatMayPass) {
    folder_.room(10);
    feed(testing::prepared('b', 7, kPrepare, kPrepared));
    feed(users());
    feed(row("1"));
    const Error error = refused(testing::prepared('P', 7, kPrepare, kPrepared));
    EXPECT_EQ(error.category, Error::Category::storage);
    EXPECT_EQ(error.next, Error::Next::retry);
    EXPECT_THAT(error.what, HasSubstr("until it is decided"));
}

}  // namespace
}  // namespace pgc
