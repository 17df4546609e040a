#include "observe/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/metrics.h"
#include "observe/status_line.h"
#include "observe/status_metrics.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

class StatusTest : public ::testing::Test {
protected:
    ManualClock clock_;
    Status status_{"shop", clock_};
};

TEST_F(StatusTest, IsLiveButNotReadyAtTheStart) {
    const auto shot = status_.snapshot();
    EXPECT_EQ(shot.about.pipeline, "shop");
    EXPECT_EQ(shot.state, PipelineState::starting);
    EXPECT_TRUE(shot.live);
    EXPECT_FALSE(shot.ready);
}

TEST_F(StatusTest, IsReadyOnlyWhileStreaming) {
    using enum PipelineState;
    for (const auto state : {starting, connecting, streaming, waiting, draining, stopped, failed}) {
        status_.enter(state);
        EXPECT_EQ(status_.snapshot().ready, state == streaming) << name(state);
        EXPECT_EQ(status_.snapshot().live, state != failed) << name(state);
    }
}

TEST_F(StatusTest, IsNotLiveWhenItsLoopIsSilent) {
    status_.enter(PipelineState::streaming);
    clock_.advance(Status::kSilence_max + 1s);
    const auto shot = status_.snapshot();
    EXPECT_FALSE(shot.live);
    EXPECT_FALSE(shot.ready);
    EXPECT_EQ(shot.not_live_because, "the pipeline's loop has not run for 61 s");
    status_.turned();
    EXPECT_TRUE(status_.snapshot().live);
}

TEST_F(StatusTest, AStoppedPipelineMayBeSilent) {
    status_.enter(PipelineState::stopped);
    clock_.advance(1h);
    EXPECT_TRUE(status_.snapshot().live);
}

TEST_F(StatusTest, KnowsHowLongItIsInAState) {
    status_.enter(PipelineState::waiting);
    clock_.advance(3s);
    status_.enter(PipelineState::waiting);
    clock_.advance(2s);
    EXPECT_EQ(status_.snapshot().in_state, 5s);
}

TEST_F(StatusTest, RemembersTheLastError) {
    status_.failed_with(retry(Error::Category::connection, "server went away").at("db:5432"));
    const auto shot = status_.snapshot();
    ASSERT_TRUE(shot.last_error);
    EXPECT_EQ(describe(*shot.last_error), "server went away (db:5432)");
    EXPECT_EQ(shot.last_error_at, clock_.wall());
}

TEST_F(StatusTest, NeverIsBehindByLessThanNothing) {
    PipelineProgress progress{.confirmed = Lsn{9}, .server_end = Lsn{7}, .lag = 0s};
    EXPECT_EQ(progress.behind_bytes(), 0U);
    progress.server_end = Lsn{11};
    EXPECT_EQ(progress.behind_bytes(), 2U);
}

TEST_F(StatusTest, WhileNothingIsReadTheLagIsUnknownAndNotZero) {
    status_.enter(PipelineState::streaming);
    status_.progressed({.confirmed = Lsn{10}, .server_end = Lsn{33'000'010}, .lag = 3s});
    EXPECT_EQ(status_.snapshot().progress.behind_bytes(), 33'000'000U);
    for (const PipelineState state : {PipelineState::waiting, PipelineState::connecting}) {
        status_.enter(state);
        status_.waits_for(WaitsOn::source, "PostgreSQL");
        status_.attempts(7);
        const auto shot = status_.snapshot();
        EXPECT_FALSE(shot.progress.lag);
        EXPECT_FALSE(shot.progress.behind_bytes());
        EXPECT_EQ(shot.waits_on, WaitsOn::source);
        EXPECT_EQ(shot.attempts, 7U);
        EXPECT_THAT(
            describe(shot, 0),
            AllOf(HasSubstr("lag unknown"), EndsWith("waiting for PostgreSQL  failed attempts 7")));
    }
}

TEST_F(StatusTest, MetricsSayWhatTheStatusSays) {
    Metrics metrics{"1", "shop"};
    status_.enter(PipelineState::connecting);
    status_.waits_for(WaitsOn::store, "the stored position");
    status_.attempts(3);
    publish(status_.snapshot(), metrics);
    std::string text = metrics.expose();
    for (const std::string_view line :
         {"cdc_replication_lag_seconds{pipeline=\"shop\"} NaN\n",
          "cdc_replication_lag_bytes{pipeline=\"shop\"} NaN\n",
          "cdc_pipeline_state{pipeline=\"shop\",state=\"connecting\"} 1\n",
          "cdc_pipeline_state{pipeline=\"shop\",state=\"streaming\"} 0\n",
          "cdc_pipeline_waiting{pipeline=\"shop\",on=\"store\"} 1\n",
          "cdc_pipeline_waiting{pipeline=\"shop\",on=\"source\"} 0\n",
          "cdc_failed_attempts{pipeline=\"shop\"} 3\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    status_.enter(PipelineState::streaming);
    status_.attempts(0);
    status_.progressed({.confirmed = Lsn{7}, .server_end = Lsn{9}, .lag = 2s});
    publish(status_.snapshot(), metrics);
    text = metrics.expose();
    for (const std::string_view line :
         {"cdc_replication_lag_seconds{pipeline=\"shop\"} 2\n",
          "cdc_replication_lag_bytes{pipeline=\"shop\"} 2\n",
          "cdc_pipeline_state{pipeline=\"shop\",state=\"streaming\"} 1\n",
          "cdc_pipeline_waiting{pipeline=\"shop\",on=\"store\"} 0\n",
          "cdc_failed_attempts{pipeline=\"shop\"} 0\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(ReadableTest, GroupsDigits) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(5012), "5,012");
    EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(ReadableTest, ShowsBytesInTheUnitThatFits) {
    EXPECT_EQ(readable_bytes(0), "0 B");
    EXPECT_EQ(readable_bytes(999), "999 B");
    EXPECT_EQ(readable_bytes(1000), "1.0 kB");
    EXPECT_EQ(readable_bytes(4242), "4.2 kB");
    EXPECT_EQ(readable_bytes(21'400'000), "21 MB");
    EXPECT_EQ(readable_bytes(999'600), "1.0 MB");
    EXPECT_EQ(readable_bytes(UINT64_MAX), "18 EB");
}

TEST(ReadableTest, ShowsTimesInTheUnitThatFits) {
    EXPECT_EQ(readable_time(0ns), "0 ms");
    EXPECT_EQ(readable_time(12'400us), "12 ms");
    EXPECT_EQ(readable_time(3400ms), "3.4 s");
    EXPECT_EQ(readable_time(75s), "75 s");
    EXPECT_EQ(readable_time(10min), "10 min");
    EXPECT_EQ(readable_time(5h), "5 h");
}

TEST_F(StatusTest, TellsTheRateOfTheLastTenSeconds) {
    status_.progressed({.changes = 1'000'000});
    EXPECT_EQ(status_.snapshot().changes_per_second, 0);  // no time has passed
    for (int second = 0; second < 60; ++second) {
        clock_.advance(1s);
        status_.progressed({.changes = 1'000'000 + 100 * static_cast<std::uint64_t>(second)});
    }
    EXPECT_DOUBLE_EQ(status_.snapshot().changes_per_second, 100);
    clock_.advance(5s);
    EXPECT_NEAR(status_.snapshot().changes_per_second, 50, 1);
}

TEST_F(StatusTest, AQuietLoopMakesTheRateAnAverageNotAnOldOne) {
    clock_.advance(1s);
    status_.progressed({.changes = 1000});
    clock_.advance(50s);
    EXPECT_EQ(status_.snapshot().changes_per_second, 0);
    status_.progressed({.changes = 2000});
    EXPECT_EQ(status_.snapshot().changes_per_second, 0);  // of a moment that has no length
    clock_.advance(10s);
    status_.progressed({.changes = 3000});
    EXPECT_DOUBLE_EQ(status_.snapshot().changes_per_second, 100);
}

TEST_F(StatusTest, TellsLatencyOfWhatWasConfirmedLately) {
    Histogram latency{spec_of(Metric::end_to_end_latency_seconds).bounds};
    latency.observe(30.0, 1000);
    Status status({.pipeline = "shop"}, clock_, &latency);
    EXPECT_FALSE(status.snapshot().latency);
    latency.observe(0.004, 100);
    const auto shot = status.snapshot();
    ASSERT_TRUE(shot.latency);
    EXPECT_LT(shot.latency->p99, 5ms);
    EXPECT_THAT(describe(shot, 0), HasSubstr("  latency p50 "));
    for (int second = 0; second < 12; ++second) {
        clock_.advance(1s);
        status.progressed({});
    }
    EXPECT_FALSE(status.snapshot().latency);
}

TEST_F(StatusTest, SaysWhatItWaitsForUntilItGoesOn) {
    status_.enter(PipelineState::connecting);
    status_.waits_for(WaitsOn::source, "PostgreSQL");
    EXPECT_EQ(status_.snapshot().waits_for, "PostgreSQL");
    status_.enter(PipelineState::streaming);
    EXPECT_EQ(status_.snapshot().waits_for, "");
    status_.progressed({.sink = SinkState::waiting, .sink_waits_for = "Kafka"});
    EXPECT_EQ(status_.snapshot().waits_for, "Kafka");
    EXPECT_EQ(status_.snapshot().progress.sink, SinkState::waiting);
    status_.enter(PipelineState::waiting);
    EXPECT_EQ(status_.snapshot().waits_for, "");
    EXPECT_EQ(status_.snapshot().progress.sink, SinkState::closed);
}

TEST_F(StatusTest, SaysWhatTheStreamDoesAndWhatABlockedOneWaitsFor) {
    EXPECT_EQ(status_.snapshot().stream, StreamState::none);
    status_.enter(PipelineState::streaming);
    status_.stream_is({.state = StreamState::blocked,
                       .since = clock_.now(),
                       .waits_on = WaitsOn::store,
                       .waits_for = "the disk"});
    clock_.advance(7s);
    auto shot = status_.snapshot();
    EXPECT_EQ(shot.stream, StreamState::blocked);
    EXPECT_EQ(shot.stream_for, 7s);
    EXPECT_EQ(shot.waits_on, WaitsOn::store);
    EXPECT_EQ(shot.waits_for, "the disk");
    Metrics metrics{"1", "shop"};
    publish(shot, metrics);
    for (const std::string_view line :
         {"cdc_stream_state{pipeline=\"shop\",state=\"blocked\"} 1\n",
          "cdc_stream_state{pipeline=\"shop\",state=\"idle\"} 0\n",
          "cdc_pipeline_waiting{pipeline=\"shop\",on=\"store\"} 1\n"}) {
        EXPECT_THAT(metrics.expose(), HasSubstr(line));
    }

    status_.progressed({.sink = SinkState::waiting, .sink_waits_for = "Kafka: away"});
    EXPECT_EQ(status_.snapshot().waits_for, "Kafka: away") << "who says it himself knows better";
    status_.progressed({.format_waits_for = "the schema registry: away"});
    shot = status_.snapshot();
    EXPECT_EQ(shot.waits_for, "the schema registry: away");
    EXPECT_EQ(shot.waits_on, WaitsOn::format);
    status_.enter(PipelineState::failed);
    EXPECT_EQ(status_.snapshot().stream, StreamState::none);
}

TEST_F(StatusTest, KnowsSinceWhenAndForHowLong) {
    clock_.advance(90s);
    const WallTime entered = clock_.wall();
    status_.enter(PipelineState::streaming);
    clock_.advance(10s);
    const auto shot = status_.snapshot();
    EXPECT_EQ(shot.since, entered);
    EXPECT_EQ(shot.uptime, 100s);
}

struct LastLine final : LogLines {
    void write(std::string_view line) noexcept override { text = line; }
    std::string text;
};

TEST_F(StatusTest, TheLineTellsTheStateAtAGlance) {
    status_.enter(PipelineState::streaming);
    status_.progressed({.changes = 50'120,
                        .received = {},
                        .confirmed = Lsn{0x1634FA0},
                        .server_end = Lsn{0x1634FA0},
                        .lag = 12ms});
    clock_.advance(10s);
    EXPECT_EQ(describe(status_.snapshot(), 21'000'000),
              "streaming  5,012 changes/s  lag 12 ms  0 B behind  confirmed 0/1634FA0  "
              "memory 21 MB");
}

TEST_F(StatusTest, TheLineTellsHowFarASnapshotIs) {
    status_.enter(PipelineState::streaming);
    status_.progressed({.snapshot = SnapshotBrief{.tables = 20,
                                                  .tables_done = 12,
                                                  .rows = 1'234'567,
                                                  .rows_expected = 2'000'000,
                                                  .rows_per_second = 250'000}});
    EXPECT_THAT(describe(status_.snapshot(), 0),
                EndsWith("  snapshot 12 of 20 tables, 1,234,567 of about 2,000,000 rows (61 %), "
                         "250,000 rows/s, about 4 s left"));
    status_.enter(PipelineState::waiting);
    EXPECT_THAT(describe(status_.snapshot(), 0), EndsWith(" rows (61 %), 0 rows/s"));

    LastLine out;
    Log json({.format = LogFormat::json}, out, clock_);
    StatusLine(status_, clock_.now()).write(json.logger("pipeline"), clock_.now());
    EXPECT_THAT(out.text, AllOf(HasSubstr(R"("snapshot_tables_done":12)"),
                                HasSubstr(R"("snapshot_rows":1234567)")));
}

TEST(SnapshotTextTest, SaysNoMoreThanIsKnown) {
    EXPECT_EQ(describe(SnapshotBrief{}), "0 rows, 0 rows/s");
    EXPECT_EQ(describe(SnapshotBrief{.rows = 5, .rows_per_second = 5}), "5 rows, 5 rows/s");
    EXPECT_EQ(describe(SnapshotBrief{.tables = 1, .rows_expected = 10}),
              "0 of 1 tables, 0 of about 10 rows (0 %), 0 rows/s");
}

TEST(SnapshotTextTest, AHundredPercentIsAllOfIt) {
    EXPECT_FALSE(percent_of(0, 0));
    EXPECT_EQ(percent_of(0, 3), 0U);
    EXPECT_EQ(percent_of(2, 3), 66U);
    EXPECT_EQ(percent_of(UINT64_MAX - 1, UINT64_MAX), 99U);
    EXPECT_EQ(percent_of(3, 3), 100U);
    EXPECT_EQ(percent_of(4, 3), 100U);
}

TEST(SnapshotTextTest, TellsTheTimeLeftWhereThereIsSome) {
    EXPECT_EQ(time_left(0, 100, 0), "");
    EXPECT_EQ(time_left(100, 100, 5), "");
    EXPECT_EQ(time_left(99, 100, 1'000), "about 1 s left");
    EXPECT_EQ(time_left(0, 750, 10), "about 75 s left");
    EXPECT_EQ(time_left(0, 36'000, 1), "about 10 h left");
    EXPECT_EQ(time_left(0, UINT64_MAX, 1), "");
}

TEST_F(StatusTest, TheLineIsDueEveryTenSeconds) {
    StatusLine line(status_, clock_.now());
    EXPECT_FALSE(line.due(clock_.now()));
    clock_.advance(10s);
    EXPECT_TRUE(line.due(clock_.now()));
    line.write(Logger{}, clock_.now());
    EXPECT_FALSE(line.due(clock_.now()));
    EXPECT_EQ(line.next(), clock_.now() + 10s);
}

TEST_F(StatusTest, TheLineIsTextForPeopleAndFieldsForPrograms) {
    LastLine out;
    Log plain({}, out, clock_);
    StatusLine line(status_, clock_.now());
    line.write(plain.logger("pipeline"), clock_.now());
    EXPECT_THAT(out.text, HasSubstr("pipeline  starting  0 changes/s"));

    Log json({.format = LogFormat::json}, out, clock_);
    line.write(json.logger("pipeline"), clock_.now());
    EXPECT_THAT(out.text, AllOf(StartsWith("{"), HasSubstr(R"("state":"starting")"),
                                Not(HasSubstr("behind_bytes")), Not(HasSubstr("latency"))));

    Histogram latency{spec_of(Metric::end_to_end_latency_seconds).bounds};
    Status timed_status({.pipeline = "shop"}, clock_, &latency);
    StatusLine timed(timed_status, clock_.now());
    latency.observe(0.004);
    timed.write(json.logger("pipeline"), clock_.now());
    EXPECT_THAT(out.text, HasSubstr(R"("latency_p99_ms":)"));
}

}  // namespace
}  // namespace pgc
