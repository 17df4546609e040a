// The delivery law, held to exhaustion: every interleaving of small histories, and long
// random ones, against a model that says what may be confirmed in the plainest way.
#include "pipeline/ledger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace pgc {
namespace {

constexpr Lsn at(std::uint64_t value) {
    return Lsn{value};
}

InFlightBatch whole(std::uint64_t commit, std::size_t records = 1) {
    return {.end = Position::whole(at(commit)),
            .resume_at = at(commit + 5),
            .records = records,
            .newest_commit = {static_cast<std::int64_t>(commit)}};
}

InFlightBatch part(std::uint64_t commit, std::uint64_t ordinal, std::uint64_t resume = 0) {
    return {.end = {at(commit), ordinal}, .resume_at = at(resume), .records = 1};
}

class LedgerTest : public testing::Test {
protected:
    void push(const InFlightBatch& batch) {
        const auto pushed = ledger.push(batch);
        ASSERT_TRUE(pushed) << describe(pushed.error());
    }
    std::size_t durable(Position position) {
        const auto done = ledger.durable(kStreamLane, position);
        EXPECT_TRUE(done) << describe(done.error());
        return done ? done->size() : 0;
    }
    Ledger ledger{ResumePoint{at(50)}};
};

TEST_F(LedgerTest, StartsWhereItWasToldTo) {
    EXPECT_EQ(ledger.confirmable(), at(50));
    EXPECT_FALSE(ledger.pending());
    EXPECT_TRUE(ledger.settled());
}

TEST_F(LedgerTest, AcceptedIsNotDurable) {
    push(whole(100));
    EXPECT_EQ(ledger.confirmable(), at(50));
    EXPECT_TRUE(ledger.pending());
}

TEST_F(LedgerTest, ADurableTransactionIsConfirmedAtItsEnd) {
    push(whole(100));
    EXPECT_EQ(durable(Position::whole(at(100))), 1U);
    EXPECT_EQ(ledger.confirmable(), at(105));
    EXPECT_FALSE(ledger.pending());
}

TEST_F(LedgerTest, APositionInsideATransactionWaitsForItsCommit) {
    push(whole(100));
    push(part(200, 7));
    durable({at(200), 7});
    EXPECT_EQ(ledger.confirmable(), at(105));
    EXPECT_FALSE(ledger.settled()) << "we are inside the transaction at 200";
    push(whole(200));
    durable(Position::whole(at(200)));
    EXPECT_EQ(ledger.confirmable(), at(205));
    EXPECT_TRUE(ledger.settled());
}

TEST_F(LedgerTest, ABatchThatEndsOneTransactionAndBeginsTheNextConfirmsTheFirst) {
    push(part(200, 3, 105));
    durable({at(200), 3});
    EXPECT_EQ(ledger.confirmable(), at(105));
}

TEST_F(LedgerTest, APositionCanBeSealedAfterWhateverTheSinkGot) {
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(50)});
    push(whole(100));
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(105)});
    push(part(200, 3, 105));
    EXPECT_EQ(ledger.sealable(), (ResumePoint{at(105), {at(200), 3}}));
    push(part(200, 6));
    EXPECT_EQ(ledger.sealable(), (ResumePoint{at(105), {at(200), 6}}));
    push(whole(200));
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(205)});
    durable(Position::whole(at(200)));
    ASSERT_TRUE(ledger.idle(at(300)));
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(300)});
}

TEST_F(LedgerTest, WhatTheSinkNeverSeesIsSealedAsWell) {
    push(part(200, 3, 105));
    push({.end = {at(200), 5}, .records = 0});
    EXPECT_EQ(ledger.sealable(), (ResumePoint{at(105), {at(200), 5}}));
    push(whole(200, 0));
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(205)});
    ASSERT_TRUE(ledger.push({.lane = Lane{1}, .end = {at(210), 1}, .records = 1}));
    EXPECT_EQ(ledger.sealable(), ResumePoint{at(205)});
}

// A server that looks for the commit in a long log says how far it is when it is asked.
TEST_F(LedgerTest, ASealedPlaceIsKeptWhileTheServerHasNotSentItsTransaction) {
    Ledger again{ResumePoint{at(50), {at(100), 7}}};
    ASSERT_TRUE(again.idle(at(80)));
    EXPECT_EQ(again.sealable(), (ResumePoint{at(80), {at(100), 7}}));
    ASSERT_TRUE(again.idle(at(100)));
    EXPECT_EQ(again.sealable(), (ResumePoint{at(100), {at(100), 7}}));
    ASSERT_TRUE(again.push({.end = {at(100), 8}, .records = 1}));
    EXPECT_EQ(again.sealable(), (ResumePoint{at(100), {at(100), 8}}));
    ASSERT_TRUE(again.push({.end = Position::whole(at(100)), .resume_at = at(105), .records = 1}));
    EXPECT_EQ(again.sealable(), ResumePoint{at(105)});
}
// It has passed it without sending it.
TEST_F(LedgerTest, ASealedPlaceEndsWithItsTransaction) {
    Ledger again{ResumePoint{at(50), {at(100), 7}}};
    ASSERT_TRUE(again.idle(at(120)));
    EXPECT_EQ(again.sealable(), ResumePoint{at(120)});
}
TEST_F(LedgerTest, ASealedPlaceIsNotLeftBehindWhileItsBeginningIsReadAgain) {
    Ledger again{ResumePoint{at(50), {at(100), 7}}};
    ASSERT_TRUE(again.push({.end = {at(100), 4}, .records = 0}));
    EXPECT_EQ(again.sealable(), (ResumePoint{at(50), {at(100), 7}}));
    ASSERT_TRUE(again.push({.end = {at(100), 8}, .records = 1}));
    EXPECT_EQ(again.sealable(), (ResumePoint{at(50), {at(100), 8}}));
    ASSERT_TRUE(again.push({.end = Position::whole(at(100)), .resume_at = at(105), .records = 1}));
    EXPECT_EQ(again.sealable(), ResumePoint{at(105)});
}

TEST_F(LedgerTest, ALaneIsCompleteWithItsBatchesWithoutRecords) {
    const Lane lane{1};
    ASSERT_TRUE(ledger.push({.lane = lane, .end = {at(210), 1}, .records = 0}));
    EXPECT_EQ(ledger.complete(lane), (Position{at(210), 1}));
    ASSERT_TRUE(ledger.push({.lane = lane, .end = {at(210), 2}, .records = 1}));
    ASSERT_TRUE(ledger.push({.lane = lane, .end = {at(210), 3}, .records = 0}));
    EXPECT_EQ(ledger.complete(lane), (Position{at(210), 1}));
    ASSERT_TRUE(ledger.durable(lane, {at(210), 2}));
    EXPECT_EQ(ledger.complete(lane), (Position{at(210), 3}));
}

TEST_F(LedgerTest, DurableCoversOnlyWholeBatches) {
    push(part(100, 10));
    push(whole(100));
    EXPECT_EQ(durable({at(100), 9}), 0U);
    EXPECT_EQ(durable({at(100), 10}), 1U);
    EXPECT_EQ(ledger.confirmable(), at(50));
}

TEST_F(LedgerTest, ATransactionWithoutRecordsIsDurableAtOnceWhenNothingWaits) {
    push(whole(100, 0));
    EXPECT_EQ(ledger.confirmable(), at(105));
    EXPECT_FALSE(ledger.pending());
}

TEST_F(LedgerTest, ATransactionWithoutRecordsWaitsForThoseBefore) {
    push(whole(100));
    push(whole(200, 0));
    EXPECT_EQ(ledger.confirmable(), at(50));
    durable(Position::whole(at(100)));
    EXPECT_EQ(ledger.confirmable(), at(205));
}

TEST_F(LedgerTest, TransactionsWithoutRecordsDoNotMoveWhatComesAfter) {
    push(whole(100));
    push(whole(200, 0));
    push(whole(300));
    durable(Position::whole(at(100)));
    EXPECT_EQ(ledger.confirmable(), at(205));
    durable(Position::whole(at(300)));
    EXPECT_EQ(ledger.confirmable(), at(305));
}

TEST_F(LedgerTest, AnyNumberOfTransactionsWithoutRecordsPinsNoMemory) {
    push(whole(100));
    for (std::uint64_t commit = 200; commit < 200'000; commit += 100) push(whole(commit, 0));
    EXPECT_EQ(durable(Position::whole(at(100))), 1U) << "only what the sink had is reported";
    EXPECT_EQ(ledger.confirmable(), at(199'905));
}

TEST_F(LedgerTest, AnIdlePositionIsTakenWhenNothingWaits) {
    ASSERT_TRUE(ledger.idle(at(900)));
    EXPECT_EQ(ledger.confirmable(), at(900));
}

TEST_F(LedgerTest, AnOldIdlePositionIsNothingNew) {
    ASSERT_TRUE(ledger.idle(at(40)));
    EXPECT_EQ(ledger.confirmable(), at(50));
}

TEST_F(LedgerTest, AnIdlePositionIsRefusedWhileChangesWait) {
    push(whole(100));
    const auto refused = ledger.idle(at(900));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::internal);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_EQ(ledger.confirmable(), at(50));
}

TEST_F(LedgerTest, AnIdlePositionIsRefusedInsideATransaction) {
    push(part(100, 4));
    durable({at(100), 4});
    EXPECT_FALSE(ledger.pending());
    EXPECT_FALSE(ledger.idle(at(900)));
    EXPECT_EQ(ledger.confirmable(), at(50));
}

TEST_F(LedgerTest, ATransactionOutOfOrderIsTheServersFault) {
    push(whole(200));
    for (const InFlightBatch& batch : {whole(100), whole(200), part(200, 9)}) {
        const auto refused = ledger.push(batch);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().category, Error::Category::protocol);
    }
}

TEST_F(LedgerTest, AnEndBeforeTheOneBeforeIsTheServersFault) {
    push(whole(200));
    InFlightBatch odd = whole(300);
    odd.resume_at = at(150);
    EXPECT_FALSE(ledger.push(odd));
}

TEST_F(LedgerTest, ASinkMayNotConfirmWhatItWasNotGiven) {
    push(whole(100));
    push(whole(200, 0));
    EXPECT_FALSE(ledger.durable(kStreamLane, Position::whole(at(200))));
    EXPECT_FALSE(ledger.durable(kStreamLane, Position::whole(at(300))));
    EXPECT_EQ(ledger.confirmable(), at(50));
}

TEST_F(LedgerTest, ASinkMayNotTakeBackWhatItConfirmed) {
    push(whole(100));
    push(whole(200));
    durable(Position::whole(at(100)));
    EXPECT_FALSE(ledger.durable(kStreamLane, Position{}));
    EXPECT_EQ(ledger.confirmable(), at(105));
}

TEST_F(LedgerTest, ASinkThatNeverHadAnythingSaysNothing) {
    EXPECT_EQ(durable(Position{}), 0U);
    push(whole(100));
    EXPECT_EQ(durable(Position{}), 0U);
}

TEST_F(LedgerTest, LanesKnowNothingOfEachOther) {
    InFlightBatch chunk = whole(10);
    chunk.lane = Lane{3};
    push(whole(100));
    push(chunk);
    const auto done = ledger.durable(Lane{3}, Position::whole(at(10)));
    ASSERT_TRUE(done);
    EXPECT_EQ(done->size(), 1U);
    EXPECT_EQ(ledger.confirmable(), at(50)) << "a snapshot's lane confirms nothing";
    EXPECT_TRUE(ledger.pending());
    EXPECT_EQ(durable(Position::whole(at(100))), 1U);
    EXPECT_EQ(ledger.confirmable(), at(105));
}

TEST_F(LedgerTest, IdleWaitsForEveryLane) {
    InFlightBatch chunk = whole(10);
    chunk.lane = Lane{3};
    push(chunk);
    EXPECT_FALSE(ledger.idle(at(900)));
}

TEST_F(LedgerTest, CountsTheRecordsThatNeedNotBeSentAgain) {
    push(whole(100, 3));
    push(part(200, 1));
    push(part(200, 2));
    push(whole(200, 4));
    push(whole(300, 0));
    EXPECT_EQ(ledger.records(), 0U);
    EXPECT_EQ(ledger.sent(), 9U) << "durable or not";
    durable({at(200), 1});
    EXPECT_EQ(ledger.records(), 3U) << "those of a transaction without its end don't count";
    durable(Position::whole(at(200)));
    EXPECT_EQ(ledger.records(), 9U);
    InFlightBatch chunk = whole(10, 7);
    chunk.lane = Lane{1};
    push(chunk);
    ASSERT_TRUE(ledger.durable(Lane{1}, chunk.end));
    EXPECT_EQ(ledger.records(), 9U) << "nor do rows of a snapshot";
    EXPECT_EQ(ledger.sent(), 9U);
}

TEST_F(LedgerTest, KnowsTheNewestCommitThatWaits) {
    EXPECT_EQ(ledger.newest_pending(), WallTime{});
    push(whole(100));
    push(whole(200));
    push(whole(300, 0));
    EXPECT_EQ(ledger.newest_pending(), WallTime{200});
    durable(Position::whole(at(200)));
    EXPECT_EQ(ledger.newest_pending(), WallTime{});
}

// A history of batches, and the plainest way to say what may be confirmed after the first
// `taken` of them entered and the sink confirmed the first `confirmed` of those it got.
struct History {
    std::vector<InFlightBatch> batches;

    std::size_t shown(std::size_t taken) const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < taken; ++i) n += batches[i].records > 0 ? 1U : 0U;
        return n;
    }
    Position end_of_shown(std::size_t n) const {
        Position end;
        for (const InFlightBatch& batch : batches) {
            if (n == 0) break;
            if (batch.records == 0) continue;
            end = batch.end;
            --n;
        }
        return end;
    }
    Lsn confirmable(std::size_t taken, std::size_t confirmed, Lsn from) const {
        Lsn safe = from;
        for (std::size_t i = 0; i < taken; ++i) {
            if (batches[i].records > 0 && confirmed-- == 0) break;
            if (batches[i].resume_at) safe = batches[i].resume_at;
        }
        return safe;
    }
};

// Walks every order in which the engine may take the next batch and the sink confirm more.
void explore(const History& history, Ledger ledger, std::size_t taken, std::size_t confirmed,
             std::size_t& leaves) {
    ASSERT_EQ(ledger.confirmable(), history.confirmable(taken, confirmed, at(50)))
        << "after " << taken << " taken, " << confirmed << " confirmed";
    ASSERT_EQ(ledger.pending(), confirmed < history.shown(taken));
    const bool taken_all = taken == history.batches.size();
    if (taken_all && confirmed == history.shown(taken)) ++leaves;
    if (!taken_all) {
        Ledger next = ledger;
        ASSERT_TRUE(next.push(history.batches[taken]));
        explore(history, std::move(next), taken + 1, confirmed, leaves);
    }
    for (std::size_t more = confirmed + 1; more <= history.shown(taken); ++more) {
        Ledger next = ledger;
        const auto done = next.durable(kStreamLane, history.end_of_shown(more));
        ASSERT_TRUE(done);
        ASSERT_EQ(done->size(), more - confirmed);
        explore(history, std::move(next), taken, more, leaves);
    }
}

// Every history of five batches of four kinds: 4^5 histories, all interleavings of each.
TEST(LedgerExhaustiveTest, EveryInterleavingOfEverySmallHistoryConfirmsExactlyWhatIsDurable) {
    constexpr std::size_t length = 5;
    constexpr std::size_t kinds = 4;
    std::size_t leaves = 0;
    std::size_t combinations = 1;
    for (std::size_t i = 0; i < length; ++i) combinations *= kinds;
    for (std::size_t code = 0; code < combinations; ++code) {
        History history;
        std::uint64_t commit = 100;
        std::uint64_t ordinal = 1;
        std::size_t rest = code;
        for (std::size_t i = 0; i < length; ++i, rest /= kinds) {
            switch (rest % kinds) {
                case 0:  // ends its transaction
                    history.batches.push_back(whole(commit));
                    commit += 100;
                    ordinal = 1;
                    break;
                case 1:  // goes on inside it
                    history.batches.push_back(part(commit, ordinal++));
                    break;
                case 2:  // ends it, and all of it was filtered out
                    history.batches.push_back(whole(commit, 0));
                    commit += 100;
                    ordinal = 1;
                    break;
                default:  // ends it and begins the next
                    history.batches.push_back(part(commit + 100, 1, commit + 5));
                    commit += 100;
                    ordinal = 2;
            }
        }
        explore(history, Ledger{ResumePoint{at(50)}}, 0, 0, leaves);
        if (testing::Test::HasFatalFailure()) FAIL() << "history " << code;
    }
    EXPECT_GT(leaves, 10'000U);
}

class LedgerPropertyTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LedgerPropertyTest, NeverMovesBackAndNeverPassesWhatIsDurable) {
    Random random{GetParam()};
    Ledger ledger{ResumePoint{at(50)}};
    History history;
    std::size_t confirmed = 0;
    std::uint64_t commit = 100;
    std::uint64_t ordinal = 1;
    Lsn before = at(50);
    Lsn idle_at = at(50);
    for (int step = 0; step < 3000; ++step) {
        const std::size_t shown = history.shown(history.batches.size());
        switch (random.below(4)) {
            case 0:
                if (random.chance(50)) {
                    history.batches.push_back(part(commit, ordinal++));
                } else {
                    history.batches.push_back(whole(commit, random.below(2)));
                    commit += 1 + random.below(100) + 5;
                    ordinal = 1;
                }
                ASSERT_TRUE(ledger.push(history.batches.back()));
                break;
            case 1:
                confirmed += random.below(shown - confirmed + 1);
                ASSERT_TRUE(ledger.durable(kStreamLane, history.end_of_shown(confirmed)));
                break;
            case 2:
                if (ledger.settled()) {
                    idle_at = at(commit - 1);
                    ASSERT_TRUE(ledger.idle(idle_at));
                } else {
                    ASSERT_FALSE(ledger.idle(at(commit + 1000)));
                }
                break;
            default: ASSERT_FALSE(ledger.durable(kStreamLane, Position::whole(at(commit + 1000))));
        }
        const Lsn allowed =
            std::max(idle_at, history.confirmable(history.batches.size(), confirmed, at(50)));
        ASSERT_EQ(ledger.confirmable(), allowed) << "step " << step;
        ASSERT_GE(ledger.confirmable(), before) << "step " << step;
        before = ledger.confirmable();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerPropertyTest, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace pgc
