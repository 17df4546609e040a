#include "server/health_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class HealthJsonTest : public ::testing::Test {
protected:
    StatusSnapshot well() {
        status.enter(PipelineState::streaming);
        status.progressed({.changes = 5,
                           .received = Lsn{0x30},
                           .confirmed = Lsn{0x10},
                           .server_end = Lsn{0x40},
                           .lag = 12ms,
                           .buffer_bytes = 7,
                           .sink = SinkState::ready});
        clock.advance(500ms);
        status.stream_is({.state = StreamState::idle, .since = clock.now()});
        clock.advance(1500ms);
        return status.snapshot();
    }
    StatusSnapshot ill() {
        status.failed_with(stop(Error::Category::permission, "x\"y\n").at("db").with_hint("GRANT"));
        clock.advance(90s);
        status.enter(PipelineState::connecting);
        status.stream_is({});
        status.waits_for(WaitsOn::source, "PostgreSQL");
        status.attempts(4);
        clock.advance(61s);
        StatusSnapshot shot = status.snapshot();
        shot.progress.snapshot = SnapshotBrief{.tables = 20,
                                               .tables_done = 12,
                                               .rows = 1'234'567,
                                               .rows_expected = 2'000'000,
                                               .rows_per_second = 250'000};
        shot.progress.tables = {{"public.orders", "reloading"}};
        shot.latency = {3ms, 12ms};
        return shot;
    }

    ManualClock clock;
    Status status{
        {.pipeline = "shop", .version = "1.2.3", .sink = "kafka", .buffer_limit_bytes = 1000},
        clock};
};

TEST_F(HealthJsonTest, TellsStatePositionsAndLag) {
    EXPECT_EQ(
        health_json(well()),
        R"({"pipeline":"shop","version":"1.2.3","uptime_seconds":2,"state":"streaming",)"
        R"("since":"2026-11-21T02:57:05.123Z","in_state_seconds":2,"live":true,)"
        R"("ready":true,"not_live_because":null,"waits_on":null,"waits_for":null,)"
        R"("stream":{"state":"idle","seconds":1.5},"failed_attempts":0,"lag_seconds":0.012,)"
        R"("behind_bytes":48,"received":"0/30","confirmed":"0/10","server_end":"0/40",)"
        R"("changes":5,"changes_per_second":2.5,"latency":null,"buffer_bytes":7,)"
        R"("buffer_limit_bytes":1000,"snapshot":null,"tables":[],"sink":{"kind":"kafka","state":"ready"},)"
        R"("last_error":null})"
        "\n");
}

TEST_F(HealthJsonTest, OfSeveralItIsWellWhenAllAre) {
    std::vector<StatusSnapshot> all{well(), ill()};
    const auto object = [](const StatusSnapshot& one) {
        const std::string json = health_json(one);
        return json.substr(0, json.size() - 1);  // without its line end
    };
    EXPECT_EQ(health_json(all), R"({"live":false,"ready":false,"pipelines":[)" + object(all[0]) +
                                    "," + object(all[1]) + "]}\n");
    all.pop_back();
    EXPECT_THAT(health_json(all), testing::StartsWith(R"({"live":true,"ready":true,"pipelines":)"));
}

TEST_F(HealthJsonTest, TellsWhatIsWrongAndItsHint) {
    const auto json = health_json(ill());
    EXPECT_THAT(json,
                HasSubstr(R"("live":false,"ready":false,"not_live_because":"the pipeline's)"));
    EXPECT_THAT(
        json,
        HasSubstr(R"("waits_on":"source","waits_for":"PostgreSQL",)"
                  R"("stream":null,"failed_attempts":4,"lag_seconds":null,"behind_bytes":null,)"));
    EXPECT_THAT(json,
                HasSubstr(R"("snapshot":{"tables":20,"tables_done":12,"rows":1234567,)"
                          R"("rows_expected":2000000,"rows_per_second":250000},"tables":[{"table":)"
                          R"("public.orders","mode":"reloading"}],"sink")"));
    EXPECT_THAT(json, HasSubstr(R"("latency":{"p50_seconds":0.003,"p99_seconds":0.012})"));
    EXPECT_THAT(json, HasSubstr(R"("last_error":{"at":"2026-11-21T02:57:05.123Z",)"
                                R"("text":"x\"y\n (db); hint: GRANT","category":"permission",)"
                                R"("what":"x\"y\n","where":"db","hint":"GRANT"}})"));
}

TEST_F(HealthJsonTest, StaysValidWhateverThePipelineIsCalled) {
    const Status strange{"a\"\\\n\xff", clock};
    EXPECT_THAT(health_json(strange.snapshot()),
                HasSubstr("{\"pipeline\":\"a\\\"\\\\\\n\xEF\xBF\xBD\","));
}

TEST_F(HealthJsonTest, IsReadAsItWasWritten) {
    for (const StatusSnapshot& shot : {well(), ill()}) {
        const auto read = read_health(health_json(shot));
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(health_json(*read), health_json(shot));
    }
}

TEST_F(HealthJsonTest, AnOlderInstanceTellsLess) {
    const auto read = read_health(
        R"({"pipeline":"p","state":"waiting","live":true,"last_error":{"at":"x","text":"gone"}})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->state, PipelineState::waiting);
    EXPECT_EQ(read->last_error->what, "gone");
    EXPECT_EQ(read->progress.sink, SinkState::closed);
    EXPECT_FALSE(read->progress.lag);
}

TEST_F(HealthJsonTest, WhatIsNoHealthAnswerIsRefused) {
    for (const std::string_view text :
         {"", "ok", "<html>", "[]", "{}", R"({"pipeline":"p"})", R"({"state":"streaming"})",
          R"({"pipeline":"p","state":"dancing"})", R"({"pipeline":1,"state":"streaming"})"}) {
        const auto read = read_health(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().category, Error::Category::protocol);
    }
}

TEST_F(HealthJsonTest, ImpossibleNumbersReadAsNone) {
    const auto read = read_health(
        R"({"pipeline":"p","state":"streaming","lag_seconds":1e300,"uptime_seconds":-5,)"
        R"("changes":-1,"changes_per_second":1e99,"received":"zz","buffer_bytes":1.5,)"
        R"("latency":{"p50_seconds":"x"},"since":"2026-13-01T00:00:00.000Z"})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->progress.lag, 0ns);
    EXPECT_EQ(read->uptime, 0ns);
    EXPECT_EQ(read->changes_per_second, 0);
    EXPECT_EQ(read->progress.received, Lsn{});
    EXPECT_EQ(read->since, WallTime{});
    EXPECT_TRUE(read_health(health_json(*read)));
}

}  // namespace
}  // namespace pgc
