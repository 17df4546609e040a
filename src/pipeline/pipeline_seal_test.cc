// The engine on a sink that keeps the position itself and commits it with the records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "support/pipeline_fixture.h"
#include "support/transactional_sink.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

class PipelineSealTest : public PipelineTest {
protected:
    PipelineSealTest() {
        parts.make_other_sink = [this] {
            return std::make_unique<test::TransactionalSink>(log_, clock);
        };
        log_.on_record = [this](const Record& record) {
            rows.emplace_back(record.commit_lsn.value, record.ordinal);
        };
        // What the fixture's law looks at.
        log_.on_position = [this](const StoredPosition& position) {
            store.content = position;
            sealed.push_back(position.resume_at.value);
        };
    }

    // Of an earlier run.
    void has_sealed(StoredPosition position) {
        store.content = log_.position = std::move(position);
    }

    test::TransactionalLog log_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> rows;
    std::vector<std::uint64_t> sealed;
};

TEST_F(PipelineSealTest, RecordsAndPositionAreCommittedTogether) {
    parts.server.log = {{100, 2}, {200, 1}, {300, 1}};
    stop_after(3s);
    run_well();
    EXPECT_THAT(rows, SizeIs(4));
    EXPECT_EQ(log_.position->resume_at, Lsn{305});
    EXPECT_EQ(parts.server.confirmed.back(), Lsn{305});
    EXPECT_EQ(log_.sinks, 0U);
}

TEST_F(PipelineSealTest, TheStreamGoesOnFromTheSealedPosition) {
    has_sealed({"p", "1", 1, "db", "slot", Lsn{105}});
    parts.server.identity.slot_is_new = false;
    parts.server.log = {{100}, {200}};
    stop_after(2s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{105}));
    EXPECT_THAT(rows, ElementsAre(std::pair{200U, 1U}));
}

TEST_F(PipelineSealTest, AfterACutNothingComesTwice) {
    for (std::uint64_t i = 1; i <= 50; ++i) parts.server.log.push_back({100 * i, 3});
    parts.server.arrived = 10;
    log_.seal_takes = [] { return 70ms; };
    options.flow.batch_changes = 4;
    for (int i = 1; i <= 40; ++i) {
        after(i * 50ms, [this] {
            ++parts.server.arrived;
            if (parts.server.arrived % 4 == 0) parts.server.read_errors.push_back(passing());
        });
    }
    stop_after(60s);
    run_well();
    ASSERT_THAT(rows, SizeIs(150));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i], (std::pair<std::uint64_t, std::uint64_t>{100 * (i / 3 + 1), i % 3 + 1}));
    }
}

TEST_F(PipelineSealTest, ATransactionOfManyBatchesIsSealedInParts) {
    options.flow.batch_changes = 2;
    options.flow.batch_changes_fixed = true;
    parts.server.log = {{100, 1}, {200, 9}, {300, 1}};
    parts.server.rows_arrived = 7;
    after(5s, [this] {
        EXPECT_THAT(rows, SizeIs(7)) << "as far as they have come";
        EXPECT_EQ(log_.position->point(), (ResumePoint{Lsn{105}, {Lsn{200}, 6}}));
        EXPECT_EQ(parts.server.confirmed.back(), Lsn{105});
        parts.server.rows_arrived = 1000;
    });
    stop_after(8s);
    run_well();
    EXPECT_THAT(rows, SizeIs(11));
    EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{305}});
}

TEST_F(PipelineSealTest, CutInsideATransactionNoRowOfItComesTwice) {
    options.flow.batch_changes = 3;
    options.flow.batch_changes_fixed = true;
    parts.server.log = {{100, 2}, {200, 40}, {300, 2}};
    log_.seal_takes = [] { return 30ms; };
    for (std::size_t i = 1; i <= 20; ++i) {
        after(i * 300ms, [this, i] {
            parts.server.rows_arrived = 3 * i;
            if (i % 2 == 0) parts.server.read_errors.push_back(passing());
        });
    }
    parts.server.rows_arrived = 1;
    after(60s, [this] { parts.server.rows_arrived = 1000; });
    stop_after(90s);
    run_well();
    ASSERT_THAT(rows, SizeIs(44));
    for (std::size_t i = 0; i < 40; ++i)
        EXPECT_EQ(rows[2 + i], std::pair(std::uint64_t{200}, i + 1));
}

TEST_F(PipelineSealTest, CutInASnapshotNoRowOfItComesTwice) {
    options.snapshot = SnapshotMode::initial;
    parts.server.snapshot_rows = 40;
    log_.seal_takes = [] { return 30ms; };
    for (std::size_t i = 1; i <= 20; ++i) {
        after(i * 300ms, [this, i] {
            parts.server.snapshot_arrived = 2 * i;
            if (i % 3 == 0) parts.server.read_errors.push_back(passing());
        });
    }
    parts.server.snapshot_arrived = 1;
    stop_after(90s);
    run_well();
    ASSERT_THAT(rows, SizeIs(40));
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(rows[i].second, i + 1);
    EXPECT_EQ(log_.position->snapshot, "");
}

// Whoever asked for it takes the exit code for the answer.
TEST_F(PipelineSealTest, OnlyEndsWhenTheLastRowsAreSealed) {
    options.snapshot = SnapshotMode::only;
    log_.seal_takes = [] { return 30ms; };
    bool failed = false;
    log_.fails = [&](const char*) -> std::optional<Error> {
        if (failed || log_.seals < 2) return std::nullopt;
        failed = true;
        return passing();
    };
    run_well();
    EXPECT_TRUE(failed);
    EXPECT_THAT(rows, SizeIs(4));
    EXPECT_EQ(log_.position->snapshot, "");
}

TEST_F(PipelineSealTest, WhatTheSourceIsNotCertainOfIsNotSealed) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.certain = Lsn{250};
    after(5s, [this] {
        EXPECT_THAT(rows, SizeIs(2));
        parts.server.certain = Lsn{400};
    });
    options.flow.batch_changes = 1;
    options.flow.batch_changes_fixed = true;
    stop_after(8s);
    run_well();
    EXPECT_THAT(rows, SizeIs(3));
    EXPECT_EQ(log_.position->resume_at, Lsn{305});
}

TEST_F(PipelineSealTest, RowsOfASnapshotAreSealedWhileTheStreamStands) {
    options.snapshot = SnapshotMode::initial;
    parts.server.snapshot_rows = 6;
    parts.server.snapshot_arrived = 3;
    parts.server.log = {{100}};
    after(2s, [this] {
        EXPECT_THAT(rows, SizeIs(3));
        parts.server.snapshot_arrived = 6;
    });
    stop_after(5s);
    run_well();
    EXPECT_THAT(rows, SizeIs(7));
    EXPECT_EQ(log_.position->snapshot, "");
}

TEST_F(PipelineSealTest, AnIdlePositionIsSealedWithoutRecords) {
    parts.server.idle = Lsn{900};
    stop_after(15s);
    run_well();
    EXPECT_EQ(log_.position->resume_at, Lsn{900});
    EXPECT_EQ(parts.server.confirmed.back(), Lsn{900});
}

TEST_F(PipelineSealTest, WhoeverIsFencedCommitsNothingMoreAndBeginsAnew) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(1s, [this] {
        ++log_.epoch;  // another instance has opened it
        parts.server.arrived = 2;
    });
    stop_after(6s);
    run_well();
    EXPECT_THAT(rows, ElementsAre(std::pair{100U, 1U}, std::pair{200U, 1U}));
}

TEST_F(PipelineSealTest, NobodyIsFencedBeforeTheSourceIsOurs) {
    parts.server.opens_until_ready = 30;
    for (int i = 1; i <= 60; ++i) after(i * 100ms, [] {});
    after(1s, [this] {
        EXPECT_EQ(log_.epoch, 0U);
        EXPECT_EQ(log_.sinks, 1U) << "it is there, but not open";
    });
    stop_after(6s);
    run_well();
    EXPECT_EQ(log_.epoch, 1U);
}

TEST_F(PipelineSealTest, WhatTheOneBeforeSealedMeanwhileIsFound) {
    has_sealed({"p", "1", 1, "db", "slot", Lsn{105}});
    parts.server.identity.slot_is_new = false;
    parts.server.log = {{100}, {200}, {300}};
    bool first = true;
    log_.may_open = [&] {
        if (std::exchange(first, false)) has_sealed({"p", "1", 1, "db", "slot", Lsn{205}});
        return true;
    };
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{205}));
    EXPECT_THAT(rows, ElementsAre(std::pair{300U, 1U}));
}

TEST_F(PipelineSealTest, ASinkThatCannotBeOpenedIsMadeAnew) {
    parts.server.log = {{100}};
    int failures = 3;
    log_.fails = [&](const char* where) -> std::optional<Error> {
        if (std::string_view{where} != "open" || failures == 0) return std::nullopt;
        --failures;
        return retry(Error::Category::sink, "no coordinator");
    };
    stop_after(10s);
    run_well();
    EXPECT_THAT(rows, SizeIs(1));
}

TEST_F(PipelineSealTest, WhatIsAcceptedIsSealedAtTheEndAtOnce) {
    parts.server.log = {{100}};
    parts.server.arrived = 0;
    after(2s, [this] { parts.server.arrived = 1; });
    stop_after(2001ms);
    run_well();
    EXPECT_LT(took, 3s);
    EXPECT_EQ(log_.position->resume_at, rows.empty() ? Lsn{50} : Lsn{105});
}

// However rarely the sink wants to seal.
TEST_F(PipelineSealTest, AGivenPlaceIsSealedAtOnceWhenItIsReached) {
    log_.pace = {.soon = 10s, .least = 10s, .most = 10s};
    parts.server.log = {{100}, {200}};
    options.until = Lsn{205};
    run_well();
    EXPECT_THAT(rows, SizeIs(2));
    EXPECT_EQ(log_.position->resume_at, Lsn{205});
    EXPECT_LT(took, 1s);
}

// The end of the log is past the last commit.
TEST_F(PipelineSealTest, AGivenPlacePastTheLastCommitIsReachedAtOnce) {
    log_.pace = {.soon = 10s, .least = 10s, .most = 10s};
    parts.server.log = {{100}, {200}};
    parts.server.idle = Lsn{900};
    options.until = Lsn{900};
    run_well();
    EXPECT_THAT(rows, SizeIs(2));
    EXPECT_EQ(log_.position->resume_at, Lsn{900});
    EXPECT_LT(took, 1s);
}

TEST_F(PipelineTest, ASinkIsMadeFirstAndServesUntilItIsGivenSomething) {
    parts.server.log = {{100}};
    for (int i = 0; i < 5; ++i) parts.server.open_errors.push_back(passing());
    stop_after(8s);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_EQ(parts.destination.made, 1);
}

TEST_F(PipelineTest, ASinkThatTakesItsTimeToOpenIsWaitedFor) {
    parts.server.log = {{100}};
    parts.destination.opens_until_ready = 5;
    for (int i = 1; i <= 40; ++i) after(i * 50ms, [] {});
    stop_after(4s);
    run_well();
    EXPECT_EQ(sent(), 1U);
}

class WholeTransactionsTest : public PipelineSealTest {
protected:
    WholeTransactionsTest() {
        options.flow.whole_transactions = true;
        options.flow.batch_changes = 2;
        options.flow.batch_changes_fixed = true;
    }
};

TEST_F(WholeTransactionsTest, ATransactionOfManyBatchesIsSealedAsAWhole) {
    parts.server.log = {{100, 1}, {200, 9}, {300, 1}};
    parts.server.rows_arrived = 1;
    after(2s, [this] { parts.server.rows_arrived = 7; });
    after(5s, [this] {
        EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{105}}) << "the rest has not come";
        EXPECT_THAT(rows, SizeIs(1));
        parts.server.rows_arrived = 1000;
    });
    stop_after(8s);
    run_well();
    EXPECT_THAT(rows, SizeIs(11));
    EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{305}});
}

TEST_F(WholeTransactionsTest, WithoutAPauseThereAreSealsAllTheSame) {
    for (std::uint64_t i = 1; i <= 200; ++i) parts.server.log.push_back({100 * i, 5});
    log_.on_position = [this](const StoredPosition& position) {
        store.content = position;
        sealed.push_back(position.resume_at.value);
        EXPECT_EQ(position.within, Position{});
        EXPECT_EQ(rows.size() % 5, 0U) << "part of a transaction was sealed";
    };
    parts.server.arrived = 1;
    for (int i = 1; i < 200; ++i) after(i * 20ms, [this] { ++parts.server.arrived; });
    stop_after(10s);
    run_well();
    EXPECT_THAT(rows, SizeIs(1000));
    EXPECT_GT(sealed.size(), 10U);
}

// Whoever reads committed records would wait as well, for what is open.
TEST_F(WholeTransactionsTest, WhileTheFormatWaitsForLongNothingIsOpen) {
    parts.server.log = {{100, 1}, {200, 9}, {300, 1}};
    parts.server.rows_arrived = 1;
    after(1s, [this] { parts.server.rows_arrived = 5; });
    after(2s, [this] {
        EXPECT_GT(log_.open, 0U);
        parts.writing.waits_after = 0;
        parts.server.rows_arrived = 1000;
    });
    after(3s, [this] {
        EXPECT_GT(log_.open, 0U) << "it may be there in a moment";
        parts.writing.waits_for = "the schema registry: away";
    });
    StatusSnapshot during;
    std::size_t started = 0;
    after(60s, [&] {
        during = status.snapshot();
        started = parts.server.started_at.size();
        EXPECT_EQ(log_.open, 0U);
        EXPECT_THAT(rows, SizeIs(1));
        parts.writing.waits_after.reset();
        parts.writing.waits_for.clear();
    });
    stop_after(70s);
    run_well();
    EXPECT_EQ(during.waits_for, "the schema registry: away");
    EXPECT_EQ(started, 1U) << "the stream was kept";
    EXPECT_THAT(parts.server.started_at, SizeIs(2)) << "and what was given up is sent once";
    EXPECT_THAT(rows, SizeIs(11));
    EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{305}});
}

TEST_F(WholeTransactionsTest, WhoIsAskedToEndMeanwhileEndsAtOnce) {
    parts.server.log = {{100, 1}, {200, 9}};
    parts.server.rows_arrived = 1;
    after(1s, [this] { parts.server.rows_arrived = 5; });
    after(2s, [this] {
        parts.writing.waits_after = 0;
        parts.writing.waits_for = "the schema registry: away";
        parts.server.rows_arrived = 1000;
    });
    stop_after(30s);
    run_well();
    EXPECT_LT(took, 31s);
    EXPECT_THAT(rows, SizeIs(1));
    EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{105}});
}

TEST_F(WholeTransactionsTest, OneThatWasCutWhenThatWasAllowedIsContinued) {
    has_sealed({"p", "1", 1, "db", "slot", Lsn{105}, {Lsn{200}, 4}});
    parts.server.identity.slot_is_new = false;
    parts.server.log = {{100, 1}, {200, 9}};
    stop_after(3s);
    run_well();
    EXPECT_THAT(rows, SizeIs(5));
    EXPECT_EQ(log_.position->point(), ResumePoint{Lsn{205}});
}

}  // namespace
}  // namespace pgc
