#include "postgres/source/postgres_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

TEST_F(PostgresSourceTest, FeedbackGoesOutWhileNobodyReads) {
    start();
    for (int i = 0; i < 5; ++i) {
        Wants wants;
        source().wants(wants, false);
        ASSERT_LE(wants.deadline, clock.now() + 10s);
        clock.advance(10s);
        ASSERT_TRUE(service());
    }
    EXPECT_GE(stream.reported.size(), 5U);
}

TEST_F(PostgresSourceTest, ConfirmsNothingByItself) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    clock.advance(10s);
    ASSERT_TRUE(service());
    EXPECT_EQ(last_feedback().flush, Lsn{});
    EXPECT_EQ(last_feedback().write, Lsn{0x308});
}

TEST_F(PostgresSourceTest, TellsAConfirmationAtOnceWhenAsked) {
    start();
    source().confirm(Lsn{0x308}, false);
    ASSERT_TRUE(service());
    EXPECT_TRUE(stream.reported.empty());
    source().confirm(Lsn{0x308}, true);
    ASSERT_TRUE(service());
    EXPECT_EQ(last_feedback().flush, Lsn{0x308});
}

TEST_F(PostgresSourceTest, AnswersTheServerAtOnce) {
    start();
    stream.sends(testing::keepalive(Lsn{0x500}, true));
    rounds(2);
    EXPECT_EQ(stream.reported.size(), 1U);
    EXPECT_EQ(last_feedback().write, Lsn{0x500});
}

TEST_F(PostgresSourceTest, IsIdleBetweenTransactionsOnly) {
    start();
    EXPECT_FALSE(source().idle_at());
    stream.sends(testing::keepalive(Lsn{0x250}));
    rounds(1);
    EXPECT_EQ(source().idle_at(), Lsn{0x250});
    stream.sends(testing::begin(Lsn{0x300}, 2));
    rounds(1);
    EXPECT_FALSE(source().idle_at());
}

TEST_F(PostgresSourceTest, IsNotIdleWhileMessagesAreKeptBack) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    stream.sends(testing::keepalive(Lsn{0x350}));
    for (std::uint64_t i = 0; i < 50; ++i) {
        const Lsn commit{0x400 + i * 0x10};
        stream.sends(testing::begin(commit, 2));
        stream.sends(testing::commit(commit, Lsn{commit.value + 8}));
    }
    batch.clear();
    ASSERT_TRUE(round(1));
    EXPECT_FALSE(source().idle_at());
}

TEST_F(PostgresSourceTest, AsksASilentServerForASign) {
    start();
    rounds(1);
    clock.advance(Liveness::kPatience);
    ASSERT_TRUE(round());
    ASSERT_TRUE(service());
    EXPECT_TRUE(last_feedback().reply);
    clock.advance(12s);  // half of our wal_sender_timeout, and a little
    const auto dead = round();
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().next, Error::Next::retry);
    const auto silence = source().silence();
    ASSERT_TRUE(silence);
    EXPECT_FALSE(silence->answers);
}

TEST_F(PostgresSourceTest, SaysWhatAServerThatSendsNothingIsBusyWith) {
    Rows health = fake_slot_health();
    health.rows[0][8] = "0/5000000";
    health.rows[0][10] = "IPC: WaitForStandbyConfirmation";
    server.answers("pg-capture: slot health */", health);
    start();
    EXPECT_FALSE(source().silence());
    for (int i = 0; i < 20; ++i) {
        stream.sends(testing::keepalive(Lsn{0x500}));
        rounds(1);
        clock.advance(5s);
    }
    rounds(1);
    const auto silence = source().silence();
    ASSERT_TRUE(silence);
    EXPECT_TRUE(silence->answers);
    EXPECT_GE(silence->lasted, 90s);
    EXPECT_EQ(silence->log_bytes, 0x5000000U - 0x500U);
    EXPECT_EQ(silence->busy_with, "IPC: WaitForStandbyConfirmation");
}

TEST_F(PostgresSourceTest, SaysGoodByeWithWhatWasConfirmed) {
    start();
    source().confirm(Lsn{0x308}, false);
    stream.says_good_bye = false;
    EXPECT_EQ(source().close(), false);
    EXPECT_EQ(last_feedback().flush, Lsn{0x308});
    stream.says_good_bye = true;
    EXPECT_EQ(source().close(), true);
    EXPECT_EQ(source().close(), true);
    EXPECT_EQ(stream.reported.size(), 1U);
}

}  // namespace
}  // namespace pgc
