#include "pipeline/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/fake_parts.h"
#include "support/simulated_time.h"
#include "support/transforms.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

class FlowTest : public testing::Test {
protected:
    SimulatedClock clock;
    Metrics metrics{"test"};
    PipelineMetrics pipeline_metrics{metrics, clock};
    RecordPool pool;
    fake::FakeParts parts;
    FlowOptions options;
    std::string snapshot;
    ResumePoint from{Lsn{50}};
    std::unique_ptr<Flow> flow_;

    Flow& flow() {
        if (!flow_) {
            Flow::Parts made{.source = *parts.make_source({}),
                             .transforms = *parts.make_transforms(nullptr),
                             .encoder = {*parts.make_format(parts.server.identity), nullptr},
                             .sink = *parts.make_sink()};
            EXPECT_TRUE(made.source->start(Lsn{50}, snapshot));
            flow_ = std::make_unique<Flow>(std::move(made), from, options, clock, pool,
                                           pipeline_metrics);
        }
        return *flow_;
    }
    bool round() {
        const auto more = flow().round();
        EXPECT_TRUE(more) << describe(more.error());
        return more && *more;
    }
    void log(std::initializer_list<fake::Tx> transactions) { parts.server.log = transactions; }
    Error broken() {
        const auto more = flow().round();
        EXPECT_FALSE(more);
        return more ? Error{} : more.error();
    }
};

TEST_F(FlowTest, CarriesChangesToTheSinkAndConfirmationsBack) {
    log({{100, 2}, {200, 1}});
    EXPECT_FALSE(round());
    EXPECT_EQ(parts.destination.durable.size(), 3U);
    EXPECT_EQ(flow().confirmable(), Lsn{205});
    EXPECT_TRUE(flow().settled());
}

TEST_F(FlowTest, AFullSinkKeepsTheBatchInHandAndReadingWaits) {
    parts.destination.room = 0;
    log({{100}, {200}});
    options.batch_changes = 1;
    EXPECT_FALSE(round());
    const auto reads = parts.server.asked_bytes.size();
    EXPECT_FALSE(round());
    EXPECT_EQ(parts.server.asked_bytes.size(), reads) << "nothing is read meanwhile";
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    EXPECT_FALSE(flow().settled());
    parts.destination.room = 10;
    while (round()) {
    }
    EXPECT_EQ(flow().confirmable(), Lsn{205});
}

TEST_F(FlowTest, FeedbackGoesOnWhileTheSinkIsFull) {
    parts.destination.room = 0;
    log({{100}});
    for (int i = 0; i < 10; ++i) round();
    EXPECT_GE(parts.server.services, 10);
}

TEST_F(FlowTest, AnExhaustedBudgetPausesReadingUntilTheSinkLetsGo) {
    options.budget_bytes = 200'000;
    options.batch_changes = 1;
    options.batch_changes_fixed = true;
    parts.destination.confirms = false;
    for (std::uint64_t i = 1; i <= 20; ++i) parts.server.log.push_back({100 * i});
    while (round()) {
    }
    const auto reads = parts.server.asked_bytes.size();
    EXPECT_LT(reads, 20U);
    round();
    EXPECT_EQ(parts.server.asked_bytes.size(), reads);
    EXPECT_LE(flow().progress(Lsn{}).buffer_bytes, options.budget_bytes + (64U << 10) + 1000);
    parts.destination.confirms = true;
    while (round()) {
    }
    EXPECT_EQ(flow().confirmable(), Lsn{2005});
    EXPECT_EQ(flow().progress(Lsn{}).buffer_bytes, 0U);
}

// A file that is kept open for minutes.
TEST_F(FlowTest, WhatTheSinkHasGivenBackIsNoMemoryThoughItIsNotDurable) {
    options.budget_bytes = 200'000;
    options.batch_changes = 1;
    options.batch_changes_fixed = true;
    parts.destination.confirms = false;
    parts.destination.lets_go = true;
    for (std::uint64_t i = 1; i <= 200; ++i) parts.server.log.push_back({100 * i});
    for (int i = 0; i < 1000 && round(); ++i) {
    }
    EXPECT_EQ(flow().progress(Lsn{}).buffer_bytes, 0U);
    EXPECT_EQ(flow().sent_records(), 200U);
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    parts.destination.confirms = true;
    while (round()) {
    }
    EXPECT_EQ(flow().confirmable(), Lsn{20'005});
}

TEST_F(FlowTest, AFormatThatWaitsKeepsNobodyElseWaiting) {
    parts.writing.waits_after = 2;
    log({{100, 3}, {200, 1}});
    EXPECT_FALSE(round());
    const auto reads = parts.server.asked_bytes.size();
    const int services = parts.server.services;
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(round());
    EXPECT_EQ(parts.server.asked_bytes.size(), reads) << "nothing is read meanwhile";
    EXPECT_EQ(parts.server.services, services + 5) << "but feedback goes on";
    EXPECT_FALSE(flow().settled());
    EXPECT_EQ(flow().quiet_at(), kNever);
    EXPECT_GT(flow().progress(Lsn{}).buffer_bytes, 0U);
    Wants wants;
    flow().wants(wants);
    EXPECT_TRUE(std::ranges::any_of(wants.interests, [](const Interest& interest) {
        return interest.fd == fake::FakeFormat::kFd;
    }));
    parts.writing.waits_after.reset();
    while (round()) {
    }
    EXPECT_EQ(flow().confirmable(), Lsn{205});
    EXPECT_EQ(parts.destination.durable.size(), 4U);
    EXPECT_EQ(flow().progress(Lsn{}).buffer_bytes, 0U);
}

TEST_F(FlowTest, AnIdlePositionDoesNotCountWhileTheFormatWaits) {
    parts.writing.waits_after = 0;
    parts.server.idle = Lsn{900};
    log({{100}});
    round();
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{50});
}

TEST_F(FlowTest, WhatAFormatWaitsWithIsSettledAfterTheSourceHasGone) {
    parts.writing.waits_after = 1;
    log({{100, 2}});
    round();
    flow().stop_reading();
    ASSERT_TRUE(flow().settle());
    EXPECT_FALSE(flow().settled());
    parts.writing.waits_after.reset();
    ASSERT_TRUE(flow().settle());
    EXPECT_TRUE(flow().settled());
    EXPECT_EQ(flow().confirmable(), Lsn{105});
}

TEST_F(FlowTest, AValueThatNeedsTextEndsTheAttemptWithADecision) {
    parts.server.sends_binary = true;
    parts.writing.refuses = {1};
    parts.writing.text_would_do = true;
    log({{100}});
    EXPECT_EQ(broken().next, Error::Next::restart);
    EXPECT_EQ(parts.server.fallbacks, 1);
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    EXPECT_TRUE(flow().can_settle());
}

TEST_F(FlowTest, WhatATransformLeavesOutIsConfirmedWithTheRest) {
    parts.make_transform = [] {
        return std::make_unique<test::DroppingTransform>(
            [](const Transaction& part, const Change& change) {
                return part.commit_lsn != Lsn{200} && change.ordinal != 2;
            });
    };
    log({{100, 3}, {200, 3}, {300, 1}});
    while (round()) {
    }
    EXPECT_THAT(
        parts.destination.durable,
        testing::ElementsAre(std::pair{100U, 1U}, std::pair{100U, 3U}, std::pair{300U, 1U}));
    EXPECT_EQ(flow().confirmable(), Lsn{305});
}

TEST_F(FlowTest, WhatWasLeftOutIsConfirmedWithTheRest) {
    options.encoder.on_error = OnError::skip;
    parts.writing.refuses = {1, 2};
    log({{100, 2}, {200, 3}});
    while (round()) {
    }
    EXPECT_EQ(parts.destination.durable.size(), 1U);
    EXPECT_EQ(flow().confirmable(), Lsn{205});
}

TEST_F(FlowTest, CaughtUpWhatComesWithinTheSinksGapIsTakenTogether) {
    parts.destination.group_gap = 1ms;
    log({{100}});
    round();
    EXPECT_EQ(parts.destination.durable.size(), 1U) << "the first one goes at once";
    log({{100}, {200}, {300}});
    round();
    EXPECT_EQ(parts.destination.durable.size(), 1U);
    Wants wants;
    flow().wants(wants);
    EXPECT_EQ(wants.deadline, clock.now() + 1ms);
    clock.advance(1ms);
    round();
    EXPECT_EQ(parts.destination.durable.size(), 3U);
}

TEST_F(FlowTest, TheRestOfATransactionIsNotKeptWaiting) {
    parts.destination.group_gap = 1ms;
    parts.server.rows_arrived = 1;
    log({{100, 3}});
    round();
    EXPECT_EQ(parts.destination.durable.size(), 1U);
    parts.server.rows_arrived = 3;
    round();
    EXPECT_EQ(parts.destination.durable.size(), 3U);
}

TEST_F(FlowTest, ASinkThatHoldsBackIsToldWhenNothingMoreComes) {
    parts.destination.waits_for_more = true;
    log({{100}});
    round();
    EXPECT_GE(parts.destination.caught_up, 1);
    EXPECT_EQ(flow().confirmable(), Lsn{105});
}

TEST_F(FlowTest, ASinkThatHoldsBackIsToldWhenTheBudgetIsUsedUp) {
    options.budget_bytes = 1;
    options.batch_changes = 1;
    parts.destination.waits_for_more = true;
    log({{100}, {200}});
    for (int i = 0; i < 4; ++i) round();
    EXPECT_EQ(flow().confirmable(), Lsn{205}) << "else both would wait for the other";
}

TEST_F(FlowTest, ABatchWithoutRecordsIsNotShownToTheSinkYetConfirmed) {
    log({{100, 3, true}, {200, 0}});
    parts.destination.offer_errors.push_back(stop(Error::Category::sink, "must not be asked"));
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{205});
}

TEST_F(FlowTest, AnIdlePositionCountsWhenNothingWaits) {
    parts.server.idle = Lsn{900};
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{900});
}

TEST_F(FlowTest, AnIdlePositionDoesNotCountWhileTheSinkIsBehind) {
    parts.server.idle = Lsn{900};
    parts.destination.confirms = false;
    log({{100}});
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    parts.destination.confirms = true;
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{900});
}

TEST_F(FlowTest, AnIdlePositionDoesNotCountWhileABatchIsInHand) {
    parts.server.idle = Lsn{900};
    parts.destination.room = 0;
    log({{100}});
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{50});
}

TEST_F(FlowTest, AHalfTransactionIsNotConfirmed) {
    options.batch_changes = 2;
    options.batch_changes_fixed = true;
    log({{100, 3}});
    EXPECT_TRUE(round());
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    EXPECT_FALSE(round());
    EXPECT_EQ(flow().confirmable(), Lsn{105});
}

TEST_F(FlowTest, BatchesGrowWhileBehind) {
    options.batch_changes = 10;
    for (std::uint64_t i = 1; i <= 1000; ++i) parts.server.log.push_back({100 * i});
    while (round()) {
    }
    EXPECT_EQ(parts.server.asked_changes.front(), 10U);
    EXPECT_EQ(*std::ranges::max_element(parts.server.asked_changes), 320U);
    round();
    EXPECT_EQ(parts.server.asked_changes.back(), 10U);
}

TEST_F(FlowTest, WhatTheSinkHoldsIsSettledAfterTheSourceHasGone) {
    parts.destination.confirms = false;
    log({{100}});
    round();
    parts.server.read_errors.push_back(retry(Error::Category::connection, "gone"));
    EXPECT_EQ(broken().what, "gone");
    flow().stop_reading();
    EXPECT_EQ(parts.server.alive, 0);
    parts.destination.confirms = true;
    ASSERT_TRUE(flow().settle());
    EXPECT_EQ(flow().confirmable(), Lsn{105});
    EXPECT_TRUE(*flow().close());
}

TEST_F(FlowTest, SettlingSurvivesASourceThatGoesAwayMeanwhile) {
    parts.destination.confirms = false;
    log({{100}});
    round();
    parts.server.service_errors.push_back(retry(Error::Category::connection, "gone"));
    parts.destination.confirms = true;
    ASSERT_TRUE(flow().settle());
    EXPECT_EQ(flow().confirmable(), Lsn{105});
    EXPECT_EQ(parts.server.alive, 0);
}

TEST_F(FlowTest, ABrokenSinkIsNotAskedAgain) {
    log({{100}});
    parts.destination.durable_errors.push_back(retry(Error::Category::sink, "broken"));
    EXPECT_EQ(broken().what, "broken");
    EXPECT_FALSE(flow().can_settle());
    EXPECT_EQ(flow().confirmable(), Lsn{50});
}

TEST_F(FlowTest, ASinkThatRefusesIsNotAskedAgain) {
    log({{100}});
    parts.destination.offer_errors.push_back(retry(Error::Category::sink, "refused"));
    EXPECT_EQ(broken().what, "refused");
    EXPECT_FALSE(flow().can_settle());
}

TEST_F(FlowTest, ASinkThatLiesIsFoundOut) {
    log({{100}});
    parts.destination.lies = Position::whole(Lsn{900});
    EXPECT_EQ(broken().category, Error::Category::internal);
    EXPECT_EQ(flow().confirmable(), Lsn{50});
}

TEST_F(FlowTest, AServerOutOfOrderIsFoundOut) {
    log({{200}, {100}});
    options.batch_changes = 1;
    round();
    EXPECT_EQ(broken().category, Error::Category::protocol);
}

TEST_F(FlowTest, ARowThatCannotBeEncodedConfirmsNothing) {
    log({{100}});
    parts.writing.errors.push_back(stop(Error::Category::data, "bad bytes"));
    EXPECT_EQ(broken().what, "bad bytes");
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    EXPECT_EQ(flow().progress(Lsn{}).buffer_bytes, 0U);
    EXPECT_TRUE(flow().can_settle());
}

TEST_F(FlowTest, TellsHowLongTheOldestNewsWaits) {
    parts.destination.confirms = false;
    log({{100}});
    round();
    clock.advance(5s);
    EXPECT_GE(flow().progress(Lsn{}).lag, 5s);
    parts.destination.confirms = true;
    round();
    EXPECT_EQ(flow().progress(Lsn{}).lag, 0s);
}

TEST_F(FlowTest, WithoutASourceTheLagIsUnknown) {
    log({{100}});
    round();
    EXPECT_TRUE(flow().progress(Lsn{}).behind_bytes());
    flow().stop_reading();
    EXPECT_FALSE(flow().progress(Lsn{}).lag);
    EXPECT_FALSE(flow().progress(Lsn{}).behind_bytes());
}

TEST_F(FlowTest, AJumpOfTheWallClockMakesNoNegativeLag) {
    parts.destination.confirms = false;
    log({{100}});
    round();
    clock.jump_wall(-3h);
    EXPECT_EQ(flow().progress(Lsn{}).lag, 0s);
    parts.destination.confirms = true;
    round();
}

TEST_F(FlowTest, CountsTheTimeInWhichReadingWaits) {
    parts.destination.room = 0;
    log({{100}});
    round();
    clock.advance(3s);
    round();
    clock.advance(1s);
    parts.destination.room = 1;
    round();
    clock.advance(7s);
    round();
    const auto waited = metrics.counter(Metric::backpressure_seconds_total).value();
    EXPECT_EQ(waited, 4'000'000'000U);
}

TEST_F(FlowTest, IsQuietOnlyWhenNothingWaits) {
    parts.destination.confirms = false;
    log({{100}});
    round();
    EXPECT_EQ(flow().quiet_at(), kNever);
    const Instant read_at = clock.now();
    clock.advance(2s);
    parts.destination.confirms = true;
    round();
    EXPECT_EQ(flow().quiet_at(), read_at);
}

TEST_F(FlowTest, CountsPerTableAndKind) {
    log({{100, 4}, {200, 2, true}, {300, 1}});
    round();
    EXPECT_EQ(metrics.counter(Metric::changes_total, {"public.t", "INSERT"}).value(), 5U);
    EXPECT_EQ(metrics.counter(Metric::changes_total, {"public.t", "MESSAGE"}).value(), 2U);
    EXPECT_EQ(metrics.counter(Metric::transactions_total).value(), 3U);
    EXPECT_EQ(metrics.counter(Metric::sink_records_total).value(), 5U);
    EXPECT_EQ(metrics.counter(Metric::sink_bytes_total).value(), 50U);
    EXPECT_EQ(metrics.counter(Metric::batches_processed_total).value(), 1U);
    EXPECT_EQ(metrics.histogram(Metric::end_to_end_latency_seconds).counts().count(), 5U);
}

TEST_F(FlowTest, RowsOfASnapshotMoveNoPositionOfTheStream) {
    snapshot = kWholeSnapshot;
    parts.server.snapshot_arrived = 2;
    log({{100}});
    while (round()) {
    }
    EXPECT_EQ(parts.destination.durable.size(), 2U);
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    EXPECT_TRUE(flow().snapshot_left());
    EXPECT_EQ(flow().snapshot_progress(), "behind 2");
    parts.server.snapshot_arrived = 4;
    while (round()) {
    }
    EXPECT_FALSE(flow().snapshot_left());
    EXPECT_EQ(flow().confirmable(), Lsn{105});
}

TEST_F(FlowTest, RowsOfASnapshotThatAreLeftOutCountAsRead) {
    options.encoder.on_error = OnError::skip;
    parts.writing.refuses = {1, 4};
    parts.server.snapshot_rows = 4;
    snapshot = kWholeSnapshot;
    parts.server.snapshot_arrived = 4;
    while (round()) {
    }
    EXPECT_EQ(parts.destination.durable.size(), 2U);
    EXPECT_FALSE(flow().snapshot_left());
}

TEST_F(FlowTest, WhatIsSealedAlreadyOfTheFirstTransactionIsLeftOut) {
    options.batch_changes = 2;
    options.batch_changes_fixed = true;
    from.within = {Lsn{100}, 5};
    log({{100, 7}, {200, 2}});
    while (round()) {
    }
    EXPECT_THAT(parts.destination.durable,
                testing::ElementsAre(std::pair{100U, 6U}, std::pair{100U, 7U}, std::pair{200U, 1U},
                                     std::pair{200U, 2U}));
    EXPECT_EQ(flow().confirmable(), Lsn{205});
}

TEST_F(FlowTest, WhatASourceThatWasLetGoHadLeftIsKnown) {
    snapshot = kWholeSnapshot;
    parts.server.snapshot_arrived = 1;
    while (round()) {
    }
    const auto revision = flow().snapshot_revision();
    flow().stop_reading();
    EXPECT_EQ(flow().snapshot_progress(), "behind 1");
    EXPECT_EQ(flow().memory(), "rows 1");
    EXPECT_EQ(flow().snapshot_revision(), revision);
}

}  // namespace
}  // namespace pgc
