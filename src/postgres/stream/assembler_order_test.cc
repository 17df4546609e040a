// Messages beside rows, keepalives, and what no server sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/assembler_fixture.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- logical messages

TEST_F(AssemblerTest, ATransactionalMessageIsAChangeOfItsTransaction) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    EXPECT_EQ(feed(testing::logical_message(Lsn{0x900}, true, "shop", "paid")), Taken::kept);
    feed(testing::commit(kCommit, kEnd));
    ASSERT_EQ(batch_.changes.size(), 2U);
    const Change& change = batch_.changes[1];
    EXPECT_EQ(change.operation, Operation::message);
    EXPECT_EQ(change.relation, nullptr);
    EXPECT_EQ(change.message->prefix, "shop");
    EXPECT_EQ(change.message->content, "paid");
    EXPECT_TRUE(change.message->transactional);
    EXPECT_EQ(change.lsn, Lsn{0x900});
    EXPECT_EQ(change.ordinal, 2U);
    EXPECT_EQ(batch_.transactions.at(0).count, 2U);
}

TEST_F(AssemblerTest, AMessageOutsideIsATransactionOfItsOwn) {
    EXPECT_EQ(feed(testing::logical_message(Lsn{0x900}, false, "shop", "hello")), Taken::kept);
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_TRUE(batch_.transactions[0].ends);
    EXPECT_EQ(batch_.transactions[0].count, 1U);
    EXPECT_EQ(batch_.changes.at(0).ordinal, 1U);
    EXPECT_FALSE(batch_.changes[0].message->transactional);
    EXPECT_EQ(batch_.resume_at, Lsn{0x900});
    EXPECT_FALSE(assembler_->in_transaction());
}

TEST_F(AssemblerTest, AMessageBeforeACommitAtItsVeryEndKeepsPositionsRising) {
    // Seen on a server: the message's LSN is where the commit record begins.
    with_users();
    feed(testing::logical_message(kCommit, false, "shop", "hello"));
    const Position message = batch_.end;
    EXPECT_EQ(batch_.resume_at, kCommit);
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(kRow, kUsers, user("1")));
    EXPECT_LT(message, batch_.end);
    feed(testing::commit(kCommit, kEnd));
    EXPECT_LT(message, batch_.end);
    EXPECT_EQ(batch_.transactions.size(), 2U);
}

TEST_F(AssemblerTest, AMessageRightAfterACommitComesAfterIt) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::commit(kCommit, kEnd));
    const Position commit = batch_.end;
    feed(testing::logical_message(Lsn{kEnd.value + 0x40}, false, "shop", "hello"));
    EXPECT_LT(commit, batch_.end);
}

TEST_F(AssemblerTest, ANonTransactionalMessageInsideIsAChangeOfTheTransaction) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::logical_message(Lsn{0x900}, false, "shop", "hello"));
    EXPECT_EQ(batch_.changes.at(0).ordinal, 1U);
    EXPECT_EQ(batch_.end, (Position{kCommit, 1}));
    EXPECT_TRUE(assembler_->in_transaction());
}

TEST_F(AssemblerTest, ATransactionalMessageOutsideIsRefused) {
    EXPECT_EQ(refused(testing::logical_message(Lsn{0x900}, true, "a", "b")).category,
              Error::Category::protocol);
}

// ---- keepalives

TEST_F(AssemblerTest, AKeepaliveBetweenTransactionsSaysWhereWeAreIdle) {
    EXPECT_FALSE(assembler_->idle_at());
    feed(testing::keepalive(Lsn{0x2000}));
    EXPECT_EQ(assembler_->idle_at(), Lsn{0x2000});
    EXPECT_EQ(assembler_->server_end(), Lsn{0x2000});
    EXPECT_EQ(assembler_->received(), Lsn{0x2000});
}

TEST_F(AssemblerTest, AKeepaliveInsideATransactionSaysNothingOfIdleness) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::keepalive(Lsn{0x900}));
    EXPECT_FALSE(assembler_->idle_at());
    feed(testing::commit(kCommit, kEnd));
    EXPECT_FALSE(assembler_->idle_at());
    EXPECT_LT(assembler_->received(), Lsn{0x2000});
}

TEST_F(AssemblerTest, IdlenessEndsWithTheNextTransaction) {
    with_users();
    feed(testing::keepalive(Lsn{0x900}));
    feed(testing::begin(kCommit, 2));
    EXPECT_FALSE(assembler_->idle_at());
    feed(testing::commit(kCommit, kEnd));
    EXPECT_FALSE(assembler_->idle_at());
    feed(testing::keepalive(kEnd));
    EXPECT_EQ(assembler_->idle_at(), kEnd);
}

TEST_F(AssemblerTest, RowsSayNothingOfIdleness) {
    with_users();
    feed(testing::begin(kCommit, 2));
    feed(testing::insert(Lsn{0x9000}, kUsers, user("1")));
    EXPECT_LT(assembler_->received(), Lsn{0x9000});
    feed(testing::commit(kCommit, kEnd));
    EXPECT_EQ(assembler_->received(), kEnd);
}

TEST_F(AssemblerTest, ARequestForAReplyIsToldOnce) {
    EXPECT_FALSE(assembler_->reply_requested());
    feed(testing::keepalive(Lsn{0x2000}, true));
    feed(testing::keepalive(Lsn{0x2001}, false));
    EXPECT_TRUE(assembler_->reply_requested());
    EXPECT_FALSE(assembler_->reply_requested());
}

// ---- what no server sends

TEST_F(AssemblerTest, ARowOutsideOfATransactionIsRefused) {
    with_users();
    EXPECT_THAT(refused(testing::insert(kRow, kUsers, user("1"))).what, HasSubstr("outside"));
}

TEST_F(AssemblerTest, ARowOfAnUnknownTableIsRefusedWithItsLsn) {
    feed(testing::begin(kCommit, 2));
    EXPECT_THAT(refused(testing::insert(Lsn{0xABC}, kUsers, user("1"))).where, HasSubstr("0/ABC"));
}

TEST_F(AssemblerTest, ARowWithTooFewColumnsIsRefusedWithItsTable) {
    with_users();
    feed(testing::begin(kCommit, 2));
    const Error error = refused(testing::insert(kRow, kUsers, {"1"}));
    EXPECT_THAT(error.where, HasSubstr("public.users"));
    EXPECT_EQ(error.next, Error::Next::stop);
}

TEST_F(AssemblerTest, NoValueOfARowStandsInAnError) {
    with_users();
    feed(testing::begin(kCommit, 2));
    const Error error = refused(testing::insert(kRow, kUsers, {"s3cret-value", "x"}));
    EXPECT_THAT(describe(error), ::testing::Not(HasSubstr("s3cret")));
}

TEST_F(AssemblerTest, ATransactionInsideAnotherIsRefused) {
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(refused(testing::begin(Lsn{0x2000}, 3)).category, Error::Category::protocol);
}

TEST_F(AssemblerTest, ACommitOfAnotherTransactionIsRefused) {
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(refused(testing::commit(Lsn{0x2000}, Lsn{0x2030})).category,
              Error::Category::protocol);
}

TEST_F(AssemblerTest, ACommitWithoutABeginIsRefused) {
    EXPECT_EQ(refused(testing::commit(kCommit, kEnd)).category, Error::Category::protocol);
}

TEST_F(AssemblerTest, ACommitThatEndsBeforeItBeginsIsRefused) {
    feed(testing::begin(kCommit, 2));
    EXPECT_EQ(refused(testing::commit(kCommit, kCommit)).category, Error::Category::protocol);
}

TEST_F(AssemblerTest, TransactionsOutOfCommitOrderAreRefused) {
    feed(testing::begin(Lsn{0x2000}, 2));
    feed(testing::commit(Lsn{0x2000}, Lsn{0x2030}));
    EXPECT_THAT(refused(testing::begin(kCommit, 3)).what, HasSubstr("commit order"));
}

TEST_F(AssemblerTest, MessagesWeDidNotAskForAreNamed) {
    EXPECT_THAT(refused(testing::xlog_data({}, testing::Wire{'S'}.uint32(5).int8(1))).what,
                HasSubstr("Stream Start"));
    EXPECT_THAT(refused(testing::xlog_data({}, "b")).what, HasSubstr("Begin Prepare"));
    EXPECT_THAT(refused(testing::xlog_data({}, "K")).what, HasSubstr("Commit Prepared"));
}

TEST_F(AssemblerTest, RefusesWhatIsNoMessageAtAll) {
    EXPECT_EQ(refused("").category, Error::Category::protocol);
    EXPECT_EQ(refused("x").category, Error::Category::protocol);
    EXPECT_EQ(refused("w").category, Error::Category::protocol);
    EXPECT_EQ(refused("k").category, Error::Category::protocol);
    EXPECT_EQ(refused(testing::xlog_data({}, "")).category, Error::Category::protocol);
    EXPECT_EQ(refused(testing::xlog_data({}, "?")).category, Error::Category::protocol);
}

TEST_F(AssemblerTest, RefusesEveryProperPrefixOfARow) {
    with_users();
    feed(testing::begin(kCommit, 2));
    const auto whole = testing::update(kRow, kUsers, 'K', {"1", kNull, kNull}, user("2"));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_FALSE(give(std::string_view{whole}.substr(0, n))) << n << " bytes";
    }
    EXPECT_THAT(batch_.changes, IsEmpty());
    EXPECT_TRUE(give(whole));
}

}  // namespace
}  // namespace pgc
