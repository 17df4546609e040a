#include "postgres/stream/streamed_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "support/wire.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StreamedTransactionsTest : public ::testing::Test {
protected:
    StreamedTransactionsTest() { with_limit(1 << 30); }

    void with_limit(std::uint64_t limit) {
        streamed.reset();
        streamed.emplace(StreamedTransactions::Deps{
            .folder = folder, .limit = limit, .bytes = &bytes, .transactions = &transactions});
    }
    Result<bool> give(std::uint32_t xid, std::string_view body, char kind = 'I') {
        return streamed->add(testing::Wire{kind}.uint32(xid).raw(body), 7);
    }
    void add(std::uint32_t xid, std::string_view body, char kind = 'I') {
        const auto added = give(xid, body, kind);
        ASSERT_TRUE(added) << describe(added.error());
        EXPECT_TRUE(*added);
    }
    void begin(std::uint32_t xid, bool first = true) {
        ASSERT_TRUE(streamed->start({Xid{xid}, first}));
    }
    void end() { ASSERT_TRUE(streamed->stop()); }
    Result<void> abort(std::uint32_t xid, std::uint32_t sub) {
        return streamed->abort({Xid{xid}, Xid{sub}, {}, {}});
    }
    // What is in it, without the kind's letter.
    std::vector<std::string> read(std::uint32_t xid) {
        std::vector<std::string> all;
        streamed->open(Xid{xid});
        while (true) {
            const auto next = streamed->next();
            EXPECT_TRUE(next) << describe(next.error());
            if (!next || !*next) break;
            all.emplace_back((*next)->view().substr(1));
        }
        streamed->close();
        return all;
    }

    SimulatedSpillFolder folder;
    Gauge bytes;
    Gauge transactions;
    std::optional<StreamedTransactions> streamed;
};

TEST_F(StreamedTransactionsTest, GivesBackWhatItWasGivenWithoutTheXid) {
    begin(10);
    add(10, "a");
    add(11, "b");
    end();
    begin(10, false);
    add(10, "c");
    end();
    EXPECT_TRUE(streamed->knows(Xid{10}));
    EXPECT_THAT(read(10), ElementsAre("a", "b", "c"));
    EXPECT_FALSE(streamed->knows(Xid{10}));
    EXPECT_THAT(folder.files(), IsEmpty());
    EXPECT_EQ(streamed->bytes(), 0U);
}

TEST_F(StreamedTransactionsTest, KeepsTheMarkAndTheKind) {
    begin(10);
    ASSERT_TRUE(streamed->add(testing::Wire{'R'}.uint32(10).raw("x"), 42));
    end();
    streamed->open(Xid{10});
    const auto next = streamed->next();
    ASSERT_TRUE(next && *next);
    EXPECT_EQ((*next)->mark, 42U);
    EXPECT_EQ((*next)->view(), "Rx");
}

TEST_F(StreamedTransactionsTest, ABlockIsWrittenInOneGo) {
    begin(10);
    for (int i = 0; i < 1000; ++i) add(10, "row");
    end();
    EXPECT_EQ(folder.writes(), 1U);
}

TEST_F(StreamedTransactionsTest, MessagesOfAnySizeComeBackWhole) {
    std::vector<std::string> expected;
    constexpr std::size_t buffer = StreamedTransactions::kBuffer;
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, buffer - 30, buffer - 13, buffer - 12, buffer - 1, buffer,
          buffer + 1, 3 * buffer + 17, std::size_t{2}}) {
        expected.emplace_back(size, static_cast<char>('a' + expected.size()));
    }
    begin(10);
    for (const std::string& body : expected) add(10, body);
    end();
    EXPECT_EQ(read(10), expected);
}

TEST_F(StreamedTransactionsTest, AnAbortedTransactionIsGone) {
    begin(10);
    add(10, "a");
    end();
    begin(20);
    add(20, "b");
    end();
    EXPECT_EQ(transactions.value(), 2);
    EXPECT_GT(bytes.value(), 0);
    ASSERT_TRUE(abort(10, 10));
    EXPECT_FALSE(streamed->knows(Xid{10}));
    EXPECT_EQ(folder.files().size(), 1U);
    EXPECT_EQ(transactions.value(), 1);
    EXPECT_THAT(read(20), ElementsAre("b"));
    EXPECT_EQ(bytes.value(), 0);
}

TEST_F(StreamedTransactionsTest, OfATransactionThatIsNotKnownNothingIsAborted) {
    EXPECT_TRUE(abort(10, 10));
    EXPECT_TRUE(abort(10, 11));
}

TEST_F(StreamedTransactionsTest, AnAbortedSubtransactionIsCutOff) {
    begin(10);
    add(10, "a");
    add(11, "x");
    add(11, "x");
    end();
    ASSERT_TRUE(abort(10, 11));
    begin(10, false);
    add(10, "b");
    add(12, "c");
    end();
    EXPECT_THAT(read(10), ElementsAre("a", "b", "c"));
}

TEST_F(StreamedTransactionsTest, NestedOnesGoWithTheirParent) {
    begin(10);
    add(11, "a");  // released
    add(12, "x");
    add(13, "x");  // within 12
    add(12, "x");
    add(14, "x");  // within 12
    end();
    // In the server's order: those that were released into it come first.
    ASSERT_TRUE(abort(10, 13));
    ASSERT_TRUE(abort(10, 14));
    ASSERT_TRUE(abort(10, 12));
    EXPECT_THAT(read(10), ElementsAre("a"));
}

TEST_F(StreamedTransactionsTest, OneThatSendsAfterItsOwnSubtransactionTakesThatWithIt) {
    begin(10);
    add(10, "a");
    add(12, "x");  // within 11, which has not sent anything yet
    add(11, "x");
    add(13, "x");
    end();
    ASSERT_TRUE(abort(10, 11));
    EXPECT_THAT(read(10), ElementsAre("a"));
}

TEST_F(StreamedTransactionsTest, OneThatSentNothingLeavesTheRest) {
    begin(10);
    add(10, "a");
    add(11, "b");
    end();
    ASSERT_TRUE(abort(10, 12));
    EXPECT_THAT(read(10), ElementsAre("a", "b"));
}

TEST_F(StreamedTransactionsTest, XidsGoRound) {
    begin(0xFFFFFFF0);
    add(0xFFFFFFFE, "a");
    add(0xFFFFFFFF, "b");
    add(3, "x");
    add(4, "x");
    end();
    ASSERT_TRUE(abort(0xFFFFFFF0, 3));
    EXPECT_THAT(read(0xFFFFFFF0), ElementsAre("a", "b"));
}

// A message bears the xid of the whole transaction, whatever it is in.
TEST_F(StreamedTransactionsTest, AMessageThatMayBeOfTheAbortedOneIsGivenUp) {
    begin(10);
    add(10, "a");
    add(10, "message", 'M');
    add(11, "x");
    end();
    const auto aborted = abort(10, 11);
    ASSERT_FALSE(aborted);
    EXPECT_EQ(aborted.error().next, Error::Next::restart);
    EXPECT_THAT(aborted.error().what, HasSubstr("transaction 10"));
    EXPECT_TRUE(streamed->gave_up());
}

TEST_F(StreamedTransactionsTest, AMessageAtTheEndMayBeOfAnAbortedOneThatSentNothingElse) {
    begin(10);
    add(10, "a");
    add(10, "message", 'M');
    end();
    EXPECT_FALSE(abort(10, 11));
}

TEST_F(StreamedTransactionsTest, AMessageBeforeARowOfAnotherIsNotOfTheAbortedOne) {
    begin(10);
    add(10, "message", 'M');
    add(10, "a");
    add(11, "x");
    add(10, "message of 11, or of 10 after it", 'M');
    end();
    ASSERT_TRUE(abort(10, 11));
    ASSERT_TRUE(abort(10, 12));
    EXPECT_THAT(read(10), ElementsAre("message", "a"));
}

TEST_F(StreamedTransactionsTest, TheLimitIsForAllTogether) {
    with_limit(1000);
    begin(10);
    add(10, std::string(400, 'a'));
    end();
    begin(20);
    add(20, std::string(400, 'b'));
    const auto added = give(20, std::string(400, 'c'));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().next, Error::Next::restart);
    EXPECT_THAT(added.error().what, HasSubstr("state.spill_limit"));
    EXPECT_THAT(added.error().where, HasSubstr("transaction 20"));
    EXPECT_THAT(added.error().hint, HasSubstr("state.spill_limit"));
    EXPECT_TRUE(streamed->gave_up());
}

TEST_F(StreamedTransactionsTest, WhatEndedMakesRoomAgain) {
    with_limit(1000);
    for (int i = 0; i < 10; ++i) {
        begin(10);
        add(10, std::string(600, 'a'));
        end();
        if (i % 2 == 0) {
            ASSERT_TRUE(abort(10, 10));
        } else {
            EXPECT_EQ(read(10).size(), 1U);
        }
    }
    begin(10);
    for (std::uint32_t i = 0; i < 10; ++i) {
        add(11 + i, std::string(600, 'a'));
        end();
        ASSERT_TRUE(abort(10, 11 + i));
        begin(10, false);
    }
}

TEST_F(StreamedTransactionsTest, AFullDiskIsGivenUpAtAndSaysWhy) {
    folder.room(100);
    begin(10);
    add(10, std::string(200, 'a'));
    const auto stopped = streamed->stop();
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().next, Error::Next::restart);
    EXPECT_EQ(stopped.error().category, Error::Category::storage);
    EXPECT_THAT(stopped.error().what, HasSubstr("full disk"));
    EXPECT_TRUE(streamed->gave_up());
}

TEST_F(StreamedTransactionsTest, AFileThatCantBeReadIsGivenUp) {
    begin(10);
    add(10, "a");
    end();
    folder.fail_next_reads(1);
    streamed->open(Xid{10});
    const auto next = streamed->next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().next, Error::Next::restart);
    EXPECT_TRUE(streamed->gave_up());
}

TEST_F(StreamedTransactionsTest, AFileThatIsNotAsItWasWrittenIsGivenUp) {
    begin(10);
    add(10, "abcdefgh");
    end();
    const auto file = folder.files().begin()->first;
    ASSERT_TRUE(folder.write(file, 0, std::string(4, '\xFF')));
    streamed->open(Xid{10});
    EXPECT_FALSE(streamed->next());
}

TEST_F(StreamedTransactionsTest, AMessageWithoutAnXidIsRefused) {
    begin(10);
    const auto added = streamed->add("I12", 0);
    ASSERT_TRUE(added);
    EXPECT_FALSE(*added);
}

TEST_F(StreamedTransactionsTest, NothingStaysWhenItGoes) {
    begin(10);
    add(10, "a");
    end();
    begin(20);
    add(20, "a");
    streamed.reset();
    EXPECT_THAT(folder.files(), IsEmpty());
    EXPECT_EQ(bytes.value(), 0);
    EXPECT_EQ(transactions.value(), 0);
}

// The server crashed while the first was open, and never says so.
TEST_F(StreamedTransactionsTest, AnXidThatBeginsAgainIsAnotherTransaction) {
    begin(10);
    add(10, "old");
    end();
    begin(10);
    add(10, "new");
    end();
    EXPECT_THAT(read(10), ElementsAre("new"));
    EXPECT_THAT(folder.files(), IsEmpty());
}

TEST_F(StreamedTransactionsTest, SavepointsByTheHundredThousandAreFoundAtOnce) {
    begin(10);
    constexpr std::uint32_t kMany = 200'000;
    for (std::uint32_t i = 0; i < kMany; ++i) {
        add(11, "o");      // an outer one, before and
        add(12 + i, "i");  // after each of its own
    }
    end();
    ASSERT_TRUE(abort(10, 12 + kMany / 2));
    EXPECT_EQ(read(10).size(), kMany + 1);
}

TEST_F(StreamedTransactionsTest, TooManySavepointsAreGivenUp) {
    begin(10);
    for (std::uint32_t i = 0; i < StreamedTransactions::kSubtransactions_max; ++i) {
        ASSERT_TRUE(give(11 + i, ""));
    }
    EXPECT_FALSE(give(11 + StreamedTransactions::kSubtransactions_max, ""));
    EXPECT_TRUE(streamed->gave_up());
}

}  // namespace
}  // namespace pgc
