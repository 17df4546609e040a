// Against a real HTTP server and its snapshot requests, in this process.
#include "cli/snapshot_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "cli/error_output.h"
#include "cli/snapshot_watch.h"
#include "http/server.h"
#include "observe/json_reader.h"
#include "server/health_routes.h"
#include "server/snapshot_json.h"
#include "server/snapshot_routes.h"

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
using State = SnapshotReport::State;

constexpr WallTime kBegan{1'795'229'825'000'000};

SnapshotReport::Request reading() {
    return {.id = "again",
            .state = State::reading,
            .tables = 20,
            .tables_done = 12,
            .rows = 1'234'567,
            .rows_expected = 2'000'000,
            .rows_per_second = 250'000,
            .began = kBegan,
            .open = {{.name = "public.orders", .rows = 5, .rows_expected = 10}}};
}

SnapshotReport::Request over(State state, std::string reason = {}) {
    return {.id = "again",
            .state = state,
            .reason = std::move(reason),
            .tables = 20,
            .tables_done = 20,
            .rows = 2'000'000,
            .rows_expected = 2'000'000,
            .began = kBegan,
            .ended = {kBegan.unix_us + 8'000'000}};
}

class SnapshotCommandTest : public testing::Test {
protected:
    ~SnapshotCommandTest() override { server.reset(); }

    ExitCode run(std::vector<std::string> arguments) {
        console.out_text.clear();
        console.err_text.clear();
        Deps deps{console, files, clock, environment};
        return run_program(arguments, deps);
    }
    void serve(Router router, bool healthy = true) {
        if (healthy) add_health_routes(router, pipelines());
        auto started = HttpServer::start("127.0.0.1:0", std::move(router), clock, Logger{});
        ASSERT_TRUE(started);
        server = std::move(*started);
        environment["PG_CAPTURE_HTTP_LISTEN"] = to_string(server->address());
    }
    ServedPipelines pipelines() { return {{"shop", status, metrics, snapshot_requests}}; }
    void serve_snapshots() {
        Router router;
        add_snapshot_routes(
            router, pipelines(),
            {.clock = clock, .token = [this] { return Result<Secret>{token}; }, .log = {}});
        serve(std::move(router));
    }
    // One that answers each look at a snapshot as `look` says, by how many there were.
    void serve_looks(std::function<HttpResponse(int)> look) {
        Router router;
        router.add("POST", "/snapshots", [](const HttpRequest&) {
            return HttpResponse{.status = 202, .body = R"({"id":"again"})"};
        });
        router.add("GET", "/snapshots/{}",
                   [this, look = std::move(look)](const HttpRequest&) { return look(looks++); });
        serve(std::move(router));
    }
    static HttpResponse reported(const SnapshotReport::Request& snapshot) {
        return {.body = snapshot_json(snapshot)};
    }

    CapturedConsole console;
    SimulatedFiles files;
    SystemClock clock;
    Environment environment{{"PG_DATABASE", "shop"},
                            {"PG_USERNAME", "cdc"},
                            {"PG_PASSWORD", "hush-hush"},
                            {"PG_CAPTURE_HTTP_TOKEN", "sesame"}};
    Secret token{"sesame"};
    SnapshotRequests snapshot_requests;
    Status status{{.pipeline = "shop", .version = "1.2.3", .sink = "console"}, clock};
    Metrics metrics{"1.2.3"};
    int looks = 0;
    std::unique_ptr<HttpServer> server;
};

// -- ordering --------------------------------------------------------------------------

TEST_F(SnapshotCommandTest, RequestsASnapshotOfTheRunningInstance) {
    serve_snapshots();
    EXPECT_EQ(run({"snapshot", "public.orders", "--where", "id > 5", "--id", "again"}),
              ExitCode::done);
    EXPECT_THAT(console.out_text, AllOf(StartsWith("Snapshot again is requested"),
                                        HasSubstr("pg-capture snapshot wait again")));
    const auto commands = snapshot_requests.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].request,
              (SnapshotRequest{.id = "again", .tables = {"public.orders"}, .where = "id > 5"}));
}

TEST_F(SnapshotCommandTest, TellsProgramsTheId) {
    serve_snapshots();
    EXPECT_EQ(run({"snapshot", "--output", "json", "a.b", "shop.*"}), ExitCode::done);
    const auto answer = read_json(console.out_text);
    ASSERT_TRUE(answer);
    const auto commands = snapshot_requests.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_THAT(commands[0].request.tables, testing::ElementsAre("a.b", "shop.*"));
    EXPECT_THAT(answer->member("id").text(), Optional(commands[0].request.id));
}

TEST_F(SnapshotCommandTest, AWrongRequestIsRefusedBeforeAnybodyIsAsked) {
    environment["PG_CAPTURE_HTTP_LISTEN"] = "127.0.0.1:1";
    for (const auto& [arguments, complaint] :
         std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"snapshot"}, "no table is named"},
             {{"snapshot", "orders"}, "orders is not a table"},
             {{"snapshot", "public.orders", "lst"}, "lst is not a table"},
             {{"snapshot", "a.b", "a.c", "--where", "true"}, "a condition is for one table"},
             {{"snapshot", "a.b", "--where", ""}, "flag --where is empty"},
             {{"snapshot", "a.b", "--id", "initial"}, "snapshot of everything"},
             {{"snapshot", "a.b", "--id", "x/y"}, "the id is not valid"},
             {{"snapshot", "a.b", "--wehre", "x"}, "--where"},
             {{"snapshot", "list", "a.b"}, "takes no such argument"},
             {{"snapshot", "pause"}, "takes the id of one snapshot"},
             {{"snapshot", "cancel", "a", "b"}, "takes the id of one snapshot"},
             {{"snapshot", "resume", "../x"}, "takes the id of one snapshot"},
             {{"snapshot", "wait", ""}, "takes the id of one snapshot"}}) {
        EXPECT_EQ(run(arguments), ExitCode::configuration) << complaint;
        EXPECT_THAT(console.err_text, HasSubstr(complaint));
        EXPECT_THAT(console.out_text, IsEmpty());
    }
}

TEST_F(SnapshotCommandTest, NobodyThereHasACodeOfItsOwn) {
    serve_snapshots();
    server.reset();
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"snapshot", "a.b"},
                                                      {"snapshot", "a.b", "--wait"},
                                                      {"snapshot", "list"},
                                                      {"snapshot", "wait", "x"},
                                                      {"snapshot", "pause", "x"}}) {
        EXPECT_EQ(run(arguments), ExitCode::absent);
        EXPECT_THAT(console.err_text, AllOf(HasSubstr("nobody answers on 127.0.0.1:"),
                                            HasSubstr("hint: start pg-capture")));
    }
    environment["PG_CAPTURE_HTTP_LISTEN"] = "";
    EXPECT_EQ(run({"snapshot", "a.b"}), ExitCode::configuration);
}

TEST_F(SnapshotCommandTest, AWrongTokenIsAnErrorOfTheConfiguration) {
    serve_snapshots();
    for (const auto* ours : {"wrong", ""}) {
        environment["PG_CAPTURE_HTTP_TOKEN"] = ours;
        EXPECT_EQ(run({"snapshot", "a.b"}), ExitCode::configuration) << ours;
        EXPECT_THAT(console.err_text, AllOf(HasSubstr("token"), HasSubstr("set http.token"),
                                            Not(HasSubstr("wrong"))));
    }
    token = Secret{};
    EXPECT_EQ(run({"snapshot", "pause", "x"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("no token is configured"));
    EXPECT_THAT(snapshot_requests.take(), IsEmpty());
}

TEST_F(SnapshotCommandTest, WhoeverElseListensThereIsNotToldTheToken) {
    bool asked = false;
    Router router;
    router.add("GET", "/healthz", [](const HttpRequest&) { return HttpResponse{.body = "ok"}; });
    router.add("POST", "/snapshots", [&](const HttpRequest&) {
        asked = true;
        return HttpResponse{.status = 202};
    });
    serve(std::move(router), false);
    EXPECT_EQ(run({"snapshot", "a.b"}), ExitCode::absent);
    EXPECT_THAT(console.err_text, HasSubstr("is not pg-capture"));
    EXPECT_FALSE(asked);
}

TEST_F(SnapshotCommandTest, AnInstanceThatKnowsNoSnapshotsIsToldApart) {
    serve({});
    EXPECT_EQ(run({"snapshot", "a.b"}), ExitCode::absent);
    EXPECT_THAT(console.err_text, HasSubstr("status 404"));
    EXPECT_EQ(run({"snapshot", "list"}), ExitCode::absent);
}

// -- listing and changing --------------------------------------------------------------

TEST_F(SnapshotCommandTest, ListsWhatIsUnderWayAndWhatEnded) {
    serve_snapshots();
    EXPECT_EQ(run({"snapshot", "list"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("No snapshot is under way"));
    auto failed = over(State::failed, "no such table\033[2J");
    failed.id = "other";
    snapshot_requests.publish({.requests = {failed, reading()}});
    EXPECT_EQ(run({"snapshot", "list"}), ExitCode::done);
    EXPECT_EQ(console.out_text,
              "SNAPSHOT  STATE    TABLES    ROWS                                 BEGAN             "
              "       "
              " ENDED\n"
              "other     failed   20 of 20  2,000,000                            "
              "2026-11-21T02:57:05.000Z "
              " 2026-11-21T02:57:13.000Z  no such table?[2J\n"
              "again     reading  12 of 20  1,234,567 of about 2,000,000 (61 %)  "
              "2026-11-21T02:57:05.000Z "
              "                           250,000 rows/s, about 4 s left\n");
    EXPECT_EQ(run({"snapshot", "list", "--output", "json"}), ExitCode::done);
    EXPECT_EQ(console.out_text, snapshots_json({.requests = {failed, reading()}}));
}

TEST_F(SnapshotCommandTest, PausesResumesAndCancels) {
    using enum SnapshotCommand::Verb;
    serve_snapshots();
    snapshot_requests.publish({.requests = {reading()}});
    for (const auto& [verb, command] :
         {std::pair{"pause", pause}, std::pair{"resume", resume}, std::pair{"cancel", cancel}}) {
        EXPECT_EQ(run({"snapshot", verb, "again"}), ExitCode::done);
        EXPECT_EQ(console.out_text, "Requested: "s + verb + " snapshot again.\n");
        const auto commands = snapshot_requests.take();
        ASSERT_EQ(commands.size(), 1U);
        EXPECT_EQ(commands[0].verb, command);
    }
    EXPECT_EQ(run({"snapshot", "pause", "again", "--output", "json"}), ExitCode::done);
    EXPECT_EQ(console.out_text, "{\"id\":\"again\"}\n");
}

TEST_F(SnapshotCommandTest, WhatCantBeChangedIsAFinding) {
    serve_snapshots();
    EXPECT_EQ(run({"snapshot", "pause", "other"}), ExitCode::findings);
    EXPECT_THAT(console.err_text, HasSubstr("there is no such snapshot"));
    snapshot_requests.publish({.requests = {over(State::done)}});
    EXPECT_EQ(run({"snapshot", "cancel", "again"}), ExitCode::findings);
    EXPECT_THAT(console.err_text, HasSubstr("the snapshot is done"));
}

// -- waiting ---------------------------------------------------------------------------

TEST_F(SnapshotCommandTest, WaitsUntilItIsDone) {
    serve_looks([](int look) { return reported(look < 2 ? reading() : over(State::done)); });
    EXPECT_EQ(run({"snapshot", "a.b", "--wait"}), ExitCode::done);
    EXPECT_EQ(console.out_text,
              "again  reading  12 of 20 tables, 1,234,567 of about 2,000,000 rows (61 %), "
              "250,000 rows/s, about 4 s left\n"
              "Snapshot again is done: 2,000,000 rows in 8.0 s.\n");
    EXPECT_EQ(looks, 3);
}

TEST_F(SnapshotCommandTest, OneThatFailsOrIsCancelledIsAFinding) {
    serve_looks([](int look) {
        return reported(look == 0 ? over(State::failed, "gone") : over(State::cancelled));
    });
    EXPECT_EQ(run({"snapshot", "wait", "again"}), ExitCode::findings);
    EXPECT_EQ(console.out_text, "Snapshot again has failed: gone.\n");
    EXPECT_EQ(run({"snapshot", "wait", "again"}), ExitCode::findings);
    EXPECT_EQ(console.out_text, "Snapshot again is cancelled, after 2,000,000 rows.\n");
}

TEST_F(SnapshotCommandTest, ProgramsGetTheLastReportAlone) {
    serve_looks(
        [](int look) { return reported(look < 1 ? reading() : over(State::failed, "gone")); });
    EXPECT_EQ(run({"snapshot", "a.b", "--wait", "--output", "json"}), ExitCode::findings);
    EXPECT_EQ(console.out_text, snapshot_json(over(State::failed, "gone")));
}

TEST_F(SnapshotCommandTest, ATerminalGetsBarsInPlace) {
    serve_looks([](int look) { return reported(look < 2 ? reading() : over(State::done)); });
    console.is_terminal = true;
    EXPECT_EQ(run({"snapshot", "a.b", "--wait"}), ExitCode::done);
    EXPECT_THAT(console.out_text,
                AllOf(StartsWith("\r\033[Kpublic.orders  ["), HasSubstr("\033[3A\r\033[Kpublic"),
                      testing::EndsWith("\033[3A\033[JSnapshot again is done: 2,000,000 rows in "
                                        "8.0 s.\n")));
}

TEST_F(SnapshotCommandTest, OneThatNobodyKnowsIsAFindingAtOnce) {
    serve_snapshots();
    EXPECT_EQ(run({"snapshot", "wait", "again"}), ExitCode::findings);
    EXPECT_THAT(console.err_text, HasSubstr("there is no snapshot again"));
}

TEST_F(SnapshotCommandTest, AnInstanceThatStartsAnewIsWaitedFor) {
    serve_looks([](int look) {
        if (look == 1) return plain_answer(503);
        if (look == 2) return json_refusal(404, "there is no such snapshot");
        return reported(look == 0 ? reading() : over(State::done));
    });
    console.is_terminal = true;
    EXPECT_EQ(run({"snapshot", "a.b", "--wait"}), ExitCode::done);
    EXPECT_EQ(looks, 4);
    EXPECT_THAT(console.out_text, HasSubstr("; asking again\n"));
}

TEST_F(SnapshotCommandTest, ASignalEndsTheWatchingAndNotTheSnapshot) {
    serve_looks([](int look) {
        if (look == 1) ::kill(::getpid(), SIGINT);
        return reported(reading());
    });
    EXPECT_EQ(run({"snapshot", "a.b", "--wait"}), ExitCode::interrupted);
    EXPECT_THAT(console.err_text, HasSubstr("pg-capture snapshot wait again"));
}

}  // namespace
}  // namespace pgc
