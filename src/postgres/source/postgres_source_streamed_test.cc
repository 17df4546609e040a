// Transactions that the server streams before they are committed, from the whole source's view.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/spill_folder.h"
#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::in_block;

class PostgresSourceStreamedTest : public PostgresSourceTest {
protected:
    ~PostgresSourceStreamedTest() override { made.reset(); }  // before the folder

    void make(bool look_only = false) {
        made.reset();
        stream = FakeStream{};
        made.emplace(PostgresSource::Deps{.config = config,
                                          .links = links,
                                          .clock = clock,
                                          .metrics = metrics,
                                          .logger = log.logger("postgres"),
                                          .carry_over = carry_over,
                                          .look_only = look_only,
                                          .spill = &folder,
                                          .spill_limit = limit});
    }
    void start_from(Lsn from) {
        make();
        healthy(to_string(from));
        open();
        ASSERT_TRUE(source().start(from, {}));
        ASSERT_TRUE(service());
    }
    void sends_block(std::uint32_t xid, bool first, int rows) {
        stream.sends(testing::stream_start(xid, first));
        if (first) {
            stream.sends(in_block(xid, testing::relation(kUsers, "public", "users", 'd',
                                                         {{"id", 23, true}, {"bio", 25}})));
        }
        for (int i = 0; i < rows; ++i) {
            stream.sends(
                in_block(xid, testing::insert(Lsn{0x300}, kUsers, {std::to_string(i), "x"})));
        }
        stream.sends(testing::stream_stop());
    }
    bool started_with_streaming() const {
        for (const std::string& said : server.said) {
            if (said.starts_with("START_REPLICATION")) {
                return said.find("streaming 'on'") != std::string::npos;
            }
        }
        ADD_FAILURE() << "nothing was started";
        return false;
    }

    SimulatedSpillFolder folder;
    std::uint64_t limit = 1 << 20;
};

TEST_F(PostgresSourceStreamedTest, AsksForStreamingWhereThereIsPlace) {
    start_from(kFrom);
    EXPECT_TRUE(started_with_streaming());
}

TEST_F(PostgresSourceStreamedTest, WithoutPlaceTheServerKeepsThem) {
    start();
    EXPECT_FALSE(started_with_streaming());
}

TEST_F(PostgresSourceStreamedTest, WithALimitOfZeroTheServerKeepsThemAndWhatWasLeftIsRemoved) {
    ASSERT_TRUE(folder.create());
    limit = 0;
    start_from(kFrom);
    EXPECT_FALSE(started_with_streaming());
    EXPECT_TRUE(folder.files().empty());
}

TEST_F(PostgresSourceStreamedTest, WhoOnlyLooksLeavesTheFolderAlone) {
    ASSERT_TRUE(folder.create());
    make(true);
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_FALSE(started_with_streaming());
    EXPECT_EQ(folder.files().size(), 1U);
}

TEST_F(PostgresSourceStreamedTest, AnUnusableFolderIsSaidOnceAndTriedAgain) {
    folder.fail_next_prepares(2);
    for (int i = 0; i < 2; ++i) {
        server.said.clear();
        start_from(kFrom);
        EXPECT_FALSE(started_with_streaming());
    }
    const std::string& said = lines.text;
    const auto at = said.find("there is no place for transactions");
    ASSERT_NE(at, std::string::npos) << said;
    EXPECT_EQ(said.find("there is no place for transactions", at + 1), std::string::npos);
    server.said.clear();
    start_from(kFrom);
    EXPECT_TRUE(started_with_streaming());
}

TEST_F(PostgresSourceStreamedTest, ALargeOneIsReadInParts) {
    start_from(kFrom);
    sends_block(7, true, 250);
    rounds(10);
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(metrics.gauge(Metric::streamed_transactions).value(), 1);
    EXPECT_GT(metrics.gauge(Metric::spill_bytes).value(), 250 * 12);
    stream.sends(testing::stream_commit(7, Lsn{0x400}, Lsn{0x408}));
    std::size_t parts = 0;
    std::uint64_t ordinal = 0;
    while (ordinal < 250) {
        const auto read = round(100);
        ASSERT_TRUE(read) << describe(read.error());
        for (const Change& change : batch.changes) EXPECT_EQ(change.ordinal, ++ordinal);
        EXPECT_LE(batch.changes.size(), 100U);
        EXPECT_FALSE(ordinal < 250 && source().idle_at());
        ++parts;
        ASSERT_LT(parts, 20U);
        if (ordinal < 250) batch.clear();
    }
    rounds(1);
    EXPECT_TRUE(batch.transactions.back().ends);
    EXPECT_EQ(batch.resume_at, Lsn{0x408});
    EXPECT_EQ(metrics.gauge(Metric::spill_bytes).value(), 0);
    EXPECT_EQ(metrics.gauge(Metric::streamed_transactions).value(), 0);
}

TEST_F(PostgresSourceStreamedTest, WhileOneIsReadNothingIsTakenOffTheSocketAndFeedbackGoesOut) {
    start_from(kFrom);
    sends_block(7, true, 50);
    rounds(4);
    stream.sends(testing::stream_commit(7, Lsn{0x400}, Lsn{0x408}));
    ASSERT_TRUE(round(10));
    stream.reported.clear();
    const int drains = stream.drains;
    for (int i = 0; i < 3; ++i) {
        clock.advance(10s);
        batch.clear();
        ASSERT_TRUE(round(10));
    }
    EXPECT_EQ(stream.drains, drains);
    EXPECT_GE(stream.reported.size(), 3U);
    EXPECT_EQ(last_feedback().flush, Lsn{});
}

TEST_F(PostgresSourceStreamedTest, BeyondTheLimitTheServerKeepsThemUntilWeArePastThatPlace) {
    limit = 1000;
    start_from(kFrom);
    sends_block(7, true, 250);
    Result<Source::Read> read = round();
    for (int i = 0; i < 10 && read; ++i) read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::restart);
    EXPECT_THAT(read.error().what, HasSubstr("state.spill_limit"));
    EXPECT_EQ(metrics.counter(Metric::spill_fallbacks_total).value(), 1U);
    const Lsn end = source().server_end();
    server.said.clear();
    start_from(end);
    EXPECT_FALSE(started_with_streaming());
    EXPECT_TRUE(folder.files().empty());
    server.said.clear();
    start_from(Lsn{end.value + 1});
    EXPECT_TRUE(started_with_streaming());
}

// As in a transaction that alters a table again after that was rolled back in it.
TEST_F(PostgresSourceStreamedTest, WhatTheServerCantDecodeBeforeTheCommitItIsAskedForAfterIt) {
    start_from(kFrom);
    stream.sqlstate = "XX000";
    stream.breaks = server_error({.sqlstate = "XX000", .message = "could not map filenumber"});
    const auto read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::restart);
    EXPECT_THAT(read.error().what, HasSubstr("could not map filenumber"));
    EXPECT_EQ(metrics.counter(Metric::spill_fallbacks_total).value(), 1U);
    const Lsn end = source().server_end();
    server.said.clear();
    start_from(end);
    EXPECT_FALSE(started_with_streaming());
    stream.sqlstate = "XX000";
    stream.breaks = server_error({.sqlstate = "XX000", .message = "could not map filenumber"});
    const auto again = round();
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().next, Error::Next::restart);
    EXPECT_EQ(metrics.counter(Metric::spill_fallbacks_total).value(), 1U);
}

TEST_F(PostgresSourceStreamedTest, NothingOfItStaysWhenTheSourceGoes) {
    start_from(kFrom);
    sends_block(7, true, 50);
    rounds(4);
    EXPECT_FALSE(folder.files().empty());
    made.reset();
    EXPECT_TRUE(folder.files().empty());
    EXPECT_EQ(metrics.gauge(Metric::spill_bytes).value(), 0);
}

}  // namespace
}  // namespace pgc
