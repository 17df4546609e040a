#include "postgres/stream/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/fake_stream.h"
#include "support/manual_clock.h"
#include "support/walsender_messages.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::kUsers;
using Stopped = StreamReader::Stopped;

constexpr std::uint32_t kAudit = 16396;  // not captured: needs no catalog

class StreamReaderTest : public ::testing::Test {
protected:
    StreamReaderTest() {
        stream.started = true;
        server.local = false;
        reader.emplace(link, assembler, clock.now());
    }

    Result<Stopped> read(std::size_t max_changes = 100, std::size_t max_bytes = 1 << 20) {
        return reader->read(batch, max_changes, max_bytes, clock.now());
    }
    // A transaction with so many rows of a table that everybody knows.
    void sends_rows(int rows, Lsn commit) {
        stream.sends(testing::begin(commit, 2));
        for (int i = 0; i < rows; ++i) {
            stream.sends(testing::insert(Lsn{1}, kUsers, {std::to_string(i)}));
        }
        stream.sends(testing::commit(commit, Lsn{commit.value + 8}));
    }
    void knows_users() {
        stream.sends(testing::begin(Lsn{8}, 1));
        stream.sends(testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}}));
        EXPECT_EQ(read(), Stopped::catalog);
        EXPECT_TRUE(relations.answer(*relations.question(), {}));
        stream.sends(testing::commit(Lsn{8}, Lsn{16}));
        EXPECT_EQ(read(), Stopped::drained);
        batch.clear();
    }

    ManualClock clock;
    FakeServer server;
    FakeStream stream;
    FakeStreamLink link{server, stream};
    TypeMap types;
    SourceCarryOver carry_over;
    Relations relations{
        types,
        Selection{[](std::string_view, std::string_view table) { return table != "audit"; },
                  [](std::string_view, std::string_view, std::string_view) { return true; }},
        false, carry_over, nullptr};
    Assembler assembler{relations, false};
    std::optional<StreamReader> reader;
    Batch batch;
};

TEST_F(StreamReaderTest, FindsNothingWhereNothingIs) {
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_TRUE(batch.empty());
    EXPECT_TRUE(reader->nothing_kept());
}

TEST_F(StreamReaderTest, TakesAllThatHasArrived) {
    knows_users();
    sends_rows(3, Lsn{100});
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_EQ(batch.changes.size(), 3U);
    EXPECT_EQ(batch.resume_at, Lsn{108});
    EXPECT_GT(batch.bytes, 0U);
}

TEST_F(StreamReaderTest, StopsWhenTheBatchIsFullAndGoesOnLater) {
    knows_users();
    sends_rows(5, Lsn{100});
    EXPECT_EQ(read(2), Stopped::full);
    EXPECT_EQ(batch.changes.size(), 2U);
    batch.clear();
    EXPECT_EQ(read(2), Stopped::full);
    batch.clear();
    EXPECT_EQ(read(2), Stopped::drained);
    EXPECT_EQ(batch.changes.size(), 1U);
    EXPECT_TRUE(batch.transactions.at(0).ends);
}

TEST_F(StreamReaderTest, HoldsToTheByteLimitButForOneMessage) {
    knows_users();
    sends_rows(50, Lsn{100});
    const std::size_t row = testing::insert(Lsn{1}, kUsers, {"0"}).size();
    std::size_t rows = 0;
    while (true) {
        const auto stopped = read(1000, 3 * row);
        ASSERT_TRUE(stopped);
        EXPECT_LT(batch.bytes, 4 * row + 4);
        rows += batch.changes.size();
        batch.clear();
        if (*stopped == Stopped::drained) break;
    }
    EXPECT_EQ(rows, 50U);
}

TEST_F(StreamReaderTest, AValueLargerThanTheLimitComesAlone) {
    knows_users();
    stream.sends(testing::begin(Lsn{100}, 2));
    stream.sends(testing::insert(Lsn{1}, kUsers, {std::string(10'000, 'x')}));
    EXPECT_EQ(read(1000, 100), Stopped::full);
    EXPECT_EQ(batch.changes.size(), 1U);
}

TEST_F(StreamReaderTest, AFloodOfFilteredRowsEndsARead) {
    stream.sends(testing::begin(Lsn{100}, 2));
    stream.sends(testing::relation(kAudit, "public", "audit", 'd', {{"id", 23, true}}));
    for (int i = 0; i < 1000; ++i) stream.sends(testing::insert(Lsn{1}, kAudit, {"1"}));
    EXPECT_EQ(read(10), Stopped::full);
    EXPECT_EQ(batch.changes.size(), 0U);
    EXPECT_FALSE(stream.arriving.empty());
}

TEST_F(StreamReaderTest, WaitsForTheCatalogAndLosesNothingMeanwhile) {
    stream.sends(testing::begin(Lsn{100}, 2));
    stream.sends(testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}}));
    stream.sends(testing::insert(Lsn{1}, kUsers, {"1"}));
    EXPECT_EQ(read(), Stopped::catalog);
    EXPECT_FALSE(reader->nothing_kept());
    EXPECT_EQ(read(), Stopped::catalog);
    Wants wants;
    reader->wants(wants);
    EXPECT_TRUE(wants.interests.empty()) << "arriving rows are of no use now";
    EXPECT_EQ(wants.deadline, kNever);
    ASSERT_TRUE(relations.answer(*relations.question(), {}));
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_EQ(batch.changes.size(), 1U);
}

TEST_F(StreamReaderTest, FreesWhatItKeptWhenItEnds) {
    stream.sends(testing::begin(Lsn{100}, 2));
    stream.sends(testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}}));
    stream.sends(testing::insert(Lsn{1}, kUsers, {"1"}));
    EXPECT_EQ(read(), Stopped::catalog);
    reader.reset();  // the leak checker is the judge
}

TEST_F(StreamReaderTest, WaitsForSingleRowsWhenCaughtUp) {
    EXPECT_EQ(read(), Stopped::drained);
    Wants wants;
    reader->wants(wants);
    ASSERT_EQ(wants.interests.size(), 1U);
    EXPECT_TRUE(wants.interests[0].readable);
    EXPECT_EQ(stream.low_water, 1U);
    EXPECT_EQ(wants.deadline, clock.now() + Liveness::kPatience);
}

TEST_F(StreamReaderTest, WaitsForLargeReadsWhenTheLogReachesFurther) {
    reader->log_reaches(Lsn{100 << 20});
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_GT(stream.low_water, 1000U);
    Wants wants;
    reader->wants(wants);
    EXPECT_LE(wants.deadline, clock.now() + 5ms);
}

// Woken by the sink, say: each look would let the server's rows cross one by one.
TEST_F(StreamReaderTest, OnLoopbackLeavesTheSocketAloneWhileItIsBehind) {
    server.loopback = true;
    reader.emplace(link, assembler, clock.now());
    reader->log_reaches(Lsn{100 << 20});
    EXPECT_EQ(read(), Stopped::drained);
    stream.sends(testing::keepalive(Lsn{50}));
    clock.advance(29ms);
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_EQ(assembler.received(), Lsn{0});
    clock.advance(1ms);
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_EQ(assembler.received(), Lsn{50});
}

TEST_F(StreamReaderTest, WaitsForLargeReadsInALargeTransaction) {
    knows_users();
    stream.sends(testing::begin(Lsn{100}, 2));
    for (int i = 0; i < 1000; ++i) stream.sends(testing::insert(Lsn{1}, kUsers, {"1"}));
    EXPECT_EQ(read(5000), Stopped::drained);
    EXPECT_GT(stream.low_water, 1000U);
}

TEST_F(StreamReaderTest, TakesSingleRowsAgainOnceCaughtUp) {
    reader->log_reaches(Lsn{100 << 20});
    EXPECT_EQ(read(), Stopped::drained);
    ASSERT_GT(stream.low_water, 1U);
    stream.sends(testing::keepalive(Lsn{100 << 20}));
    clock.advance(5ms);
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_EQ(stream.low_water, 1U);
}

TEST_F(StreamReaderTest, AsksASilentServerThenTakesItForDead) {
    EXPECT_EQ(read(), Stopped::drained);
    clock.advance(Liveness::kPatience);
    EXPECT_EQ(read(), Stopped::silent);
    clock.advance(Liveness::kGrace_min);
    const auto dead = read();
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().next, Error::Next::retry);
    EXPECT_EQ(dead.error().category, Error::Category::connection);
}

TEST_F(StreamReaderTest, AnAnswerProvesTheServerAlive) {
    clock.advance(Liveness::kPatience);
    EXPECT_EQ(read(), Stopped::silent);
    clock.advance(Liveness::kGrace_min);
    stream.sends(testing::keepalive(Lsn{5}));
    EXPECT_EQ(read(), Stopped::drained);
}

TEST_F(StreamReaderTest, ADeadServersErrorSaysWhoAndHowFarTheLogWentOn) {
    EXPECT_EQ(read(), Stopped::drained);
    EXPECT_FALSE(reader->silence());
    clock.advance(Liveness::kPatience);
    EXPECT_EQ(read(), Stopped::silent);
    reader->log_reaches(Lsn{1 << 20});
    clock.advance(Liveness::kGrace_min);
    const auto dead = read();
    ASSERT_FALSE(dead);
    EXPECT_THAT(dead.error().what, HasSubstr("its log has gone on by 1048576 bytes"));
    EXPECT_THAT(dead.error().where, HasSubstr("PID 4711"));
    EXPECT_THAT(dead.error().hint, HasSubstr("wait_event"));
    const auto silence = reader->silence();
    ASSERT_TRUE(silence);
    EXPECT_FALSE(silence->answers);
    EXPECT_EQ(silence->log_bytes, 1U << 20);
    EXPECT_EQ(silence->since, clock.now() + -Liveness::kGrace_min);
}

// One that works through a large transaction of which it sends nothing: before 12, where its
// timeout is not ours to set, it looks at our question after half a minute.
TEST_F(StreamReaderTest, AServerIsGivenTheTimeItMayTakeToAnswer) {
    reader.emplace(link, assembler, clock.now(), 60s);
    clock.advance(Liveness::kPatience);
    EXPECT_EQ(read(), Stopped::silent);
    clock.advance(31s);
    EXPECT_EQ(read(), Stopped::drained);
    stream.sends(testing::keepalive(Lsn{5}));
    EXPECT_EQ(read(), Stopped::drained);
    clock.advance(Liveness::kPatience);
    EXPECT_EQ(read(), Stopped::silent);
    clock.advance(32s);
    EXPECT_FALSE(read());
}

TEST_F(StreamReaderTest, AnIdleServerIsNotSilent) {
    stream.sends(testing::keepalive(Lsn{90'000}));
    reader->log_reaches(Lsn{90'000});
    for (int i = 0; i < 100; ++i) {
        clock.advance(1s);
        stream.sends(testing::keepalive(Lsn{90'000}));
        EXPECT_TRUE(read());
        EXPECT_FALSE(reader->silence());
    }
}

// The log may end after the header of a page that is empty else.
TEST_F(StreamReaderTest, AFewBytesOfLogAreNoneThatIsHeldBack) {
    stream.sends(testing::keepalive(Lsn{90'000}));
    reader->log_reaches(Lsn{90'000 + 8192});
    EXPECT_TRUE(read());
    EXPECT_TRUE(read());
    EXPECT_FALSE(reader->silence());
}

// All changes are outside of the publication.
TEST_F(StreamReaderTest, AServerWhoseKeepalivesMoveIsNotSilent) {
    for (std::uint64_t i = 1; i < 100; ++i) {
        clock.advance(1s);
        reader->log_reaches(Lsn{(i + 1) << 20});
        stream.sends(testing::keepalive(Lsn{i << 20}));
        EXPECT_TRUE(read());
        const auto silence = reader->silence();
        EXPECT_TRUE(!silence || silence->since == clock.now());
    }
}

TEST_F(StreamReaderTest, AServerThatAnswersAndGoesNoFurtherIsSilentSinceThen) {
    stream.sends(testing::keepalive(Lsn{1 << 20}));
    EXPECT_TRUE(read());
    reader->log_reaches(Lsn{5 << 20});
    clock.advance(10s);
    stream.sends(testing::keepalive(Lsn{1 << 20}));
    EXPECT_TRUE(read());
    const Instant since = clock.now();
    for (int i = 0; i < 10; ++i) {
        clock.advance(5s);
        stream.sends(testing::keepalive(Lsn{1 << 20}));
        EXPECT_TRUE(read());
    }
    const auto silence = reader->silence();
    ASSERT_TRUE(silence);
    EXPECT_TRUE(silence->answers);
    EXPECT_EQ(silence->since, since);
    EXPECT_EQ(silence->log_bytes, 4U << 20);
    knows_users();
    EXPECT_TRUE(!reader->silence() || reader->silence()->since == clock.now()) << "rows came";
    stream.sends(testing::keepalive(Lsn{5 << 20}));
    EXPECT_TRUE(read());
    EXPECT_FALSE(reader->silence());
}

TEST_F(StreamReaderTest, DecodesWhatCameBeforeTheEnd) {
    ASSERT_TRUE(link.send("START_REPLICATION"));
    knows_users();
    sends_rows(1, Lsn{100});
    stream.ended = true;
    const auto ended = read();
    ASSERT_FALSE(ended);
    EXPECT_EQ(batch.changes.size(), 1U);
}

TEST_F(StreamReaderTest, SaysWhyTheServerEndedTheStream) {
    ASSERT_TRUE(link.send("START_REPLICATION"));
    stream.ended = true;
    EXPECT_THAT(read().error().what, HasSubstr("ended the stream"));
    stream.refuses = stop(Error::Category::position, "the slot is lost");
    EXPECT_EQ(read().error().what, "the slot is lost");
}

TEST_F(StreamReaderTest, PassesABrokenConnectionOn) {
    stream.breaks = retry(Error::Category::connection, "cut");
    EXPECT_EQ(read().error().what, "cut");
}

}  // namespace
}  // namespace pgc
