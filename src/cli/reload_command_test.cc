// Against a real HTTP server, in this process.
#include "cli/reload_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/error_output.h"
#include "http/server.h"
#include "server/health_routes.h"
#include "server/snapshot_json.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using State = SnapshotReport::State;

class ReloadCommandTest : public testing::Test {
protected:
    ~ReloadCommandTest() override { server.reset(); }

    // An instance that says this of the reload that is asked of it.
    void serve(SnapshotReport::Request report) {
        Router router;
        add_health_routes(router, {{"shop", status, metrics, snapshot_requests}});
        router.add("POST", "/snapshots", [this](const HttpRequest& request) {
            asked = request.body;
            return HttpResponse{.status = 202, .body = R"({"id":"again"})"};
        });
        router.add("GET", "/snapshots/{}", [report](const HttpRequest&) {
            return HttpResponse{.body = snapshot_json(report)};
        });
        auto started = HttpServer::start("127.0.0.1:0", std::move(router), clock, Logger{});
        ASSERT_TRUE(started);
        server = std::move(*started);
        environment["PG_CAPTURE_HTTP_LISTEN"] = to_string(server->address());
    }
    ExitCode run(std::vector<std::string> arguments) {
        Deps deps{console, files, clock, environment};
        return run_program(arguments, deps);
    }

    std::string asked;
    SnapshotRequests snapshot_requests;
    CapturedConsole console;
    SimulatedFiles files;
    SystemClock clock;
    Status status{{.pipeline = "shop", .version = "1.2.3", .sink = "file"}, clock};
    Metrics metrics{"1.2.3"};
    Environment environment{{"PG_DATABASE", "shop"},
                            {"PG_USERNAME", "cdc"},
                            {"PG_PASSWORD", "hush-hush"},
                            {"PG_CAPTURE_HTTP_TOKEN", "sesame"}};
    std::unique_ptr<HttpServer> server;
};

TEST_F(ReloadCommandTest, OrdersOneOfTheRunningInstance) {
    serve({.id = "again", .state = State::waiting, .tables = 2});
    EXPECT_EQ(run({"reload", "public.orders", "shop.*", "--id", "again"}), ExitCode::done);
    EXPECT_EQ(asked,
              "{\"tables\":[\"public.orders\",\"shop.*\"],\"reload\":true,\"id\":\"again\"}\n");
    EXPECT_THAT(console.out_text, HasSubstr("Reload again of 2 tables is ordered"));
}

TEST_F(ReloadCommandTest, OfATableThatIsNotCapturedItSaysSoAtOnce) {
    serve({.id = "again", .state = State::failed, .reason = "no captured table has this name"});
    EXPECT_EQ(run({"reload", "public.nothing"}), ExitCode::findings);
    EXPECT_THAT(console.out_text, HasSubstr("no captured table has this name"));
}

TEST_F(ReloadCommandTest, WaitsForItsEnd) {
    serve({.id = "again", .state = State::done, .tables = 1, .tables_done = 1, .rows = 7});
    EXPECT_EQ(run({"reload", "public.orders", "--wait", "--output", "json"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr(R"("state":"done")"));
}

TEST_F(ReloadCommandTest, WhatIsNoTableIsRefusedBeforeAnybodyIsAsked) {
    EXPECT_EQ(run({"reload", "orders"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("orders is not a table"));
    EXPECT_EQ(run({"reload"}), ExitCode::configuration);
    EXPECT_EQ(run({"reload", "public.orders", "--where", "id > 5"}), ExitCode::configuration);
    EXPECT_TRUE(asked.empty());
}

}  // namespace
}  // namespace pgc
