#include "cli/status_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/lag_command.h"
#include "http/server.h"
#include "observe/json_reader.h"
#include "server/health_routes.h"

namespace pgc {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;
using testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr WallTime kNow{1'795'229'825'123'456};

StatusSnapshot well() {
    StatusSnapshot status;
    status.about = {
        .pipeline = "shop", .version = "1.2.3", .sink = "kafka", .buffer_limit_bytes = 33'554'432};
    status.uptime = 3h;
    status.state = PipelineState::streaming;
    status.since = {kNow.unix_us - 120'000'000};
    status.in_state = 120s;
    status.progress = {.changes = 1'234'567,
                       .received = Lsn{0x30},
                       .confirmed = Lsn{0x10},
                       .server_end = Lsn{0x40},
                       .lag = 12ms,
                       .buffer_bytes = 4'200'000,
                       .sink = SinkState::ready};
    status.changes_per_second = 5012.4;
    status.latency = {3ms, 12ms};
    status.live = status.ready = true;
    return status;
}

TEST(StatusTextTest, ShowsAtAGlanceHowItGoes) {
    EXPECT_EQ(status_text(well(), kNow),
              "pipeline      shop\ninstance      pg-capture 1.2.3, up for 3 h\nstate         "
              "streaming for 2 min, since 2026-11-21T02:55:05.123Z\nlag           12 ms, 48 B of "
              "WAL\nrate          5,012 changes/s, 1,234,567 since it started\nlatency       p50 3 "
              "ms, p99 12 ms\nreceived      0/30\nconfirmed     0/10\nserver's end  0/40\nbuffer   "
              "     4.2 MB of 34 MB\nsink          kafka, ready\n");
}

TEST(StatusTextTest, ShowsASnapshotWhileOneIsUnderWay) {
    StatusSnapshot status = well();
    status.progress.snapshot = SnapshotBrief{.tables = 20,
                                             .tables_done = 12,
                                             .rows = 1'234'567,
                                             .rows_expected = 2'000'000,
                                             .rows_per_second = 250'000};
    EXPECT_THAT(status_text(status, kNow),
                HasSubstr("\nsnapshot      12 of 20 tables, 1,234,567 of about 2,000,000 rows "
                          "(61 %), 250,000 rows/s, about 4 s left\n"));
}

TEST(StatusTextTest, TellsOfTablesThatAreBeingReloaded) {
    StatusSnapshot status = well();
    status.progress.tables = {{"public.orders", "reloading"}, {"public.users", "pending_reload"}};
    EXPECT_THAT(status_text(status, kNow),
                HasSubstr("\ntable         public.orders: reloading\n"
                          "table         public.users: pending_reload\n"));
}

TEST(StatusTextTest, TellsWhatItWaitsForAndTheLastErrorWithItsHint) {
    StatusSnapshot status = well();
    status.state = PipelineState::waiting;
    status.waits_for = "the next attempt";
    status.stream = StreamState::dead;
    status.stream_for = 75s;
    status.last_error = stop(Error::Category::server, "no slot").at("db:5432").with_hint("make it");
    status.last_error_at = {kNow.unix_us - 4'000'000};
    EXPECT_THAT(status_text(status, kNow),
                AllOf(HasSubstr("stream        dead for 75 s\n"
                                "waits for     the next attempt\n"),
                      HasSubstr("last error    4.0 s ago, at 2026-11-21T02:57:01.123Z\n"
                                "              no slot (db:5432)\n"
                                "              hint: make it\n")));
}

TEST(StatusTextTest, AStrangersTextCanDoNothingToATerminal) {
    StatusSnapshot status = well();
    status.about.pipeline = "a\033[2Jb\nc\u009b\xff";
    EXPECT_THAT(status_text(status, kNow), StartsWith("pipeline      a?[2Jb?c??\n"));
}

// -- the command -----------------------------------------------------------------------

class StatusCommandTest : public testing::Test {
protected:
    ExitCode run(std::vector<std::string> arguments) {
        Deps deps{console, files, clock, environment};
        return run_program(arguments, deps);
    }
    std::unique_ptr<HttpServer> serve(Router router) {
        auto server = HttpServer::start("127.0.0.1:0", std::move(router), clock, Logger{});
        EXPECT_TRUE(server);
        environment["PG_CAPTURE_HTTP_LISTEN"] = to_string((*server)->address());
        return std::move(*server);
    }
    std::unique_ptr<HttpServer> serve_status() {
        Router router;
        add_health_routes(router, {{"shop", status, metrics, snapshot_requests}});
        return serve(std::move(router));
    }

    CapturedConsole console;
    SimulatedFiles files;
    SystemClock clock;
    Environment environment{
        {"PG_DATABASE", "shop"}, {"PG_USERNAME", "cdc"}, {"PG_PASSWORD", "hush-hush"}};
    Status status{{.pipeline = "shop", .version = "1.2.3", .sink = "console"}, clock};
    Metrics metrics{"1.2.3"};
    SnapshotRequests snapshot_requests;
};

TEST_F(StatusCommandTest, AsksTheRunningInstance) {
    status.enter(PipelineState::streaming);
    const auto server = serve_status();
    EXPECT_EQ(run({"status"}), ExitCode::done);
    EXPECT_THAT(console.out_text, AllOf(HasSubstr("shop"), HasSubstr("streaming")));
    console.out_text.clear();
    EXPECT_EQ(run({"status", "--output", "json"}), ExitCode::done);
    const auto answer = read_json(console.out_text);
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->member("state").text(), Optional("streaming"s));
}

TEST_F(StatusCommandTest, OneThatIsNotLiveIsAFinding) {
    status.enter(PipelineState::failed);
    const auto server = serve_status();
    EXPECT_EQ(run({"status"}), ExitCode::findings);
    EXPECT_THAT(console.out_text, HasSubstr("not live      the pipeline has failed"));
}

TEST_F(StatusCommandTest, NobodyThereHasACodeOfItsOwn) {
    serve({}).reset();  // a port that was free a moment ago
    EXPECT_EQ(run({"status"}), ExitCode::absent);
    EXPECT_THAT(console.out_text, IsEmpty());
    EXPECT_THAT(console.err_text, AllOf(HasSubstr("nobody answers on 127.0.0.1:"),
                                        HasSubstr("hint: start pg-capture")));
    console.err_text.clear();
    EXPECT_EQ(run({"status", "--output", "json"}), ExitCode::absent);
    EXPECT_TRUE(read_json(console.err_text));
}

TEST_F(StatusCommandTest, SomebodyElseThereIsToldApart) {
    Router router;
    for (const auto& [path, body] : {std::pair{"/healthz", "ok\n"}}) {
        router.add("GET", path, [body](const HttpRequest&) { return HttpResponse{.body = body}; });
    }
    const auto server = serve(std::move(router));
    EXPECT_EQ(run({"status"}), ExitCode::absent);
    EXPECT_THAT(console.err_text, HasSubstr("is not pg-capture"));
    const auto empty = serve({});
    console.err_text.clear();
    EXPECT_EQ(run({"status"}), ExitCode::absent);
    EXPECT_THAT(console.err_text, HasSubstr("is not pg-capture: status 404"));
}

TEST_F(StatusCommandTest, WithoutAServerThereIsNobodyToAsk) {
    environment["PG_CAPTURE_HTTP_LISTEN"] = "";
    EXPECT_EQ(run({"status"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("http.listen"));
}

// -- lag -------------------------------------------------------------------------------

LagReport report() {
    return {.at = kNow,
            .slot = "shop_slot",
            .info = SlotInfo{.name = "shop_slot",
                             .plugin = "pgoutput",
                             .database = "shop",
                             .active = true,
                             .reader = "PID 9 (pg-capture)",
                             .confirmed = "0/200",
                             .restart = "0/100",
                             .server_end = "0/300",
                             .behind_bytes = 256,
                             .retained_bytes = 512,
                             .safe_bytes = 1'200'000'000,
                             .wal_status = "reserved"},
            .instance = well()};
}

TEST(LagTextTest, TellsWhatTheServerKnowsAndWhatTheInstanceSays) {
    EXPECT_EQ(lag_text(report()),
              "slot          shop_slot\nread by       PID 9 (pg-capture)\nbehind        256 B of "
              "WAL\nkept for it   512 B of WAL\nstatus        reserved, lost after 1.2 GB more "
              "(max_slot_wal_keep_size)\nconfirmed     0/200\nrestart       0/100\nserver's end  "
              "0/300\ninstance      streaming, lag 12 ms, 5,012 changes/s\n");
    EXPECT_EQ(
        lag_line(report()),
        "2026-11-21T02:57:05.123Z  256 B behind  512 B kept  reserved, lost after 1.2 GB more "
        "(max_slot_wal_keep_size)  streaming, lag 12 ms, 5,012 changes/s\n");
}

TEST(LagTextTest, AMissingSlotAndALostOneAreSaid) {
    LagReport missing{.at = kNow, .slot = "s", .info = {}, .instance = {}};
    EXPECT_THAT(lag_text(missing),
                AllOf(HasSubstr("there is no such slot"), HasSubstr("none answers")));
    EXPECT_THAT(lag_line(missing), HasSubstr("  no slot s  no instance answers\n"));
    LagReport lost = report();
    lost.info->lost = true;
    lost.info->wal_status = "lost";
    EXPECT_THAT(lag_text(lost), AllOf(HasSubstr("pg-capture position reset --drop-slot --yes"),
                                      Not(HasSubstr("more ("))));
    LagReport near = report();
    near.info->safe_bytes = -5;
    EXPECT_THAT(lag_text(near), HasSubstr("may be lost at any moment"));
    near.info->unread_for = 75s;
    near.info->unread_max = 2h;
    EXPECT_THAT(lag_text(near), HasSubstr(", unread for 75 s and lost after 2 h (idle_"));
}

TEST(LagTextTest, JsonIsOneLineAndWhole) {
    const auto text = lag_json(report());
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    const auto json = read_json(text);
    ASSERT_TRUE(json) << text;
    EXPECT_THAT(json->member("found").boolean(), Optional(true));
    EXPECT_THAT(json->member("behind_bytes").count(), Optional(256U));
    EXPECT_THAT(json->member("safe_bytes").count(), Optional(1'200'000'000U));
    EXPECT_THAT(json->member("instance").member("state").text(), Optional("streaming"s));
    const auto none = read_json(lag_json({.at = kNow, .slot = "\"", .info = {}, .instance = {}}));
    ASSERT_TRUE(none);
    EXPECT_THAT(none->member("found").boolean(), Optional(false));
    EXPECT_TRUE(none->member("instance").exists());
}

TEST_F(StatusCommandTest, LagRefusesAWatchThatIsNoTime) {
    for (const auto* text : {"0", "-1", "x", "1e9", ""}) {
        EXPECT_EQ(run({"lag", "--watch="s + text}), ExitCode::configuration) << text;
    }
}

}  // namespace
}  // namespace pgc
