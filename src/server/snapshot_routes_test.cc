#include "server/snapshot_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/snapshot_json.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using namespace std::chrono_literals;
using Verb = SnapshotCommand::Verb;
using State = SnapshotReport::State;

constexpr std::string_view kOrders = R"({"tables":["public.orders"]})";

class SnapshotRoutesTest : public ::testing::Test {
protected:
    SnapshotRoutesTest() {
        add_snapshot_routes(
            router, {{"shop", status, metrics, snapshot_requests}},
            {.clock = clock, .token = [this] { return Result<Secret>{token}; }, .log = {}});
    }

    HttpResponse ask(std::string_view method, std::string_view path, std::string_view body = {}) {
        HttpRequest request{.method = method, .path = path, .query = {}, .headers = {}};
        request.body = body;
        if (!borne.empty()) request.headers.emplace_back("Authorization", borne);
        return router.answer(request);
    }
    HttpResponse start(std::string_view body = kOrders) { return ask("POST", "/snapshots", body); }
    HttpResponse start_as(std::string_view id) {
        return start(R"({"tables":["a.b"],"id":")" + std::string{id} + "\"}");
    }
    SnapshotReport shown() {
        const auto answer = ask("GET", "/snapshots");
        EXPECT_EQ(answer.status, 200);
        return read_snapshots(answer.body).value();
    }
    std::vector<std::string> ids() {
        std::vector<std::string> all;
        for (const auto& request : shown().requests) all.push_back(request.id);
        return all;
    }
    void publish(std::vector<SnapshotReport::Request> requests) {
        snapshot_requests.publish({.requests = std::move(requests)});
    }
    SnapshotReport::Request reported(std::string_view id, State state) {
        return {.id = std::string{id}, .state = state, .began = clock.wall()};
    }

    SnapshotRequests snapshot_requests;
    ManualClock clock;
    Status status{"shop", clock};
    Metrics metrics{"1.2.3", "shop"};
    Secret token{"sesame"};
    std::string borne = "Bearer sesame";
    Router router;
};

TEST_F(SnapshotRoutesTest, ARequestIsLeftForThePipeline) {
    const auto answer =
        start(R"({"tables":["public.orders"],"where":"id > 5","id":"orders-again"})");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body, "{\"id\":\"orders-again\"}\n");
    EXPECT_THAT(answer.headers, Contains(Pair("Location", "/snapshots/orders-again")));
    const auto commands = snapshot_requests.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].verb, Verb::start);
    EXPECT_EQ(
        commands[0].request,
        (SnapshotRequest{.id = "orders-again", .tables = {"public.orders"}, .where = "id > 5"}));
}

TEST_F(SnapshotRoutesTest, WithoutAnIdOneIsMadeUp) {
    EXPECT_EQ(start().body, "{\"id\":\"s-20261121-025705-1\"}\n");
    EXPECT_EQ(start().body, "{\"id\":\"s-20261121-025705-2\"}\n");
    publish({reported("s-20261121-025705-3", State::done)});
    EXPECT_EQ(start().body, "{\"id\":\"s-20261121-025705-4\"}\n");
    EXPECT_THAT(snapshot_requests.take(), testing::SizeIs(3));
}

TEST_F(SnapshotRoutesTest, WhoeverChangesSomethingBearsTheToken) {
    publish({reported("a", State::reading)});
    for (const auto& [bearer, expected] :
         {std::pair{"", 401}, std::pair{"Bearer wrong", 401}, std::pair{"Bearer sesame", 202}}) {
        borne = bearer;
        EXPECT_EQ(start().status, expected) << bearer;
        for (const auto* path :
             {"/snapshots/a/pause", "/snapshots/a/resume", "/snapshots/a/cancel"}) {
            EXPECT_EQ(ask("POST", path).status, expected) << path << ' ' << bearer;
        }
        EXPECT_EQ(ask("GET", "/snapshots").status, 200);
        EXPECT_EQ(ask("GET", "/snapshots/a").status, 200);
        EXPECT_EQ(snapshot_requests.take().size(), expected == 202 ? 4U : 0U);
    }
    token = Secret{};
    EXPECT_EQ(start().status, 403);
    EXPECT_THAT(snapshot_requests.take(), IsEmpty());
}

TEST_F(SnapshotRoutesTest, TheTokenComesBeforeWhatIsKnown) {
    borne.clear();
    EXPECT_EQ(ask("POST", "/snapshots/no-such/pause").status, 401);
    EXPECT_EQ(start("no request").status, 401);
}

TEST_F(SnapshotRoutesTest, AWrongRequestIsAnsweredWithAHint) {
    const auto answer = start(R"({"tables":["orders"]})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_THAT(answer.body,
                HasSubstr(R"({"error":"orders is not a table","hint":"write SCHEMA.)"));
    EXPECT_THAT(snapshot_requests.take(), IsEmpty());
}

TEST_F(SnapshotRoutesTest, ShowsThePipelinesReport) {
    publish({reported("initial", State::reading), reported("old", State::done)});
    EXPECT_THAT(ids(), ElementsAre("initial", "old"));
    const auto one = ask("GET", "/snapshots/initial");
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(read_snapshot(one.body)->state, State::reading);
    EXPECT_EQ(ask("GET", "/snapshots/other").status, 404);
    EXPECT_EQ(ask("GET", "/snapshots/").status, 404);
    EXPECT_EQ(ask("GET", "/snapshots/a/b").status, 404);
    EXPECT_EQ(ask("DELETE", "/snapshots/initial").status, 405);
}

TEST_F(SnapshotRoutesTest, WhatWasRequestedJustNowIsShownAsWaiting) {
    start_as("a");
    const auto one = read_snapshot(ask("GET", "/snapshots/a").body);
    ASSERT_TRUE(one);
    EXPECT_EQ(one->state, State::waiting);
    EXPECT_THAT(one->reason, HasSubstr("not started it yet"));
    EXPECT_EQ(ask("POST", "/snapshots/a/cancel").status, 202);
    snapshot_requests.take();
    EXPECT_THAT(ids(), ElementsAre("a"));
    publish({reported("a", State::reading)});
    EXPECT_THAT(ids(), ElementsAre("a"));
    EXPECT_EQ(shown().requests[0].state, State::reading);
    publish({});
    EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(SnapshotRoutesTest, WhatLaterRequestsPassedIsOverAndForgotten) {
    for (const auto* id : {"a", "b", "c", "d"}) start_as(id);
    publish({reported("c", State::done)});
    EXPECT_THAT(ids(), ElementsAre("c", "d"));
}

TEST_F(SnapshotRoutesTest, AnIdUnderWayIsTakenAndOneThatIsOverIsFree) {
    publish({reported("a", State::paused), reported("b", State::cancelled)});
    EXPECT_EQ(start_as("a").status, 409);
    clock.advance(1s);
    EXPECT_EQ(start_as("b").status, 202);
    EXPECT_EQ(start_as("b").status, 409);
    // It is not the earlier one of that name whose end is seen.
    EXPECT_EQ(read_snapshot(ask("GET", "/snapshots/b").body)->state, State::waiting);
    const auto earlier = shown().requests[1];
    publish({earlier, reported("b", State::reading)});
    EXPECT_EQ(read_snapshot(ask("GET", "/snapshots/b").body)->state, State::reading);
    EXPECT_THAT(ids(), ElementsAre("b", "b"));
}

TEST_F(SnapshotRoutesTest, PausesResumesAndCancels) {
    publish({reported("initial", State::reading)});
    for (const auto& [path, command] : {std::pair{"/snapshots/initial/pause", Verb::pause},
                                        std::pair{"/snapshots/initial/resume", Verb::resume},
                                        std::pair{"/snapshots/initial/cancel", Verb::cancel}}) {
        const auto answer = ask("POST", path);
        EXPECT_EQ(answer.status, 202) << path;
        EXPECT_EQ(answer.body, "{\"id\":\"initial\"}\n");
        const auto commands = snapshot_requests.take();
        ASSERT_EQ(commands.size(), 1U);
        EXPECT_EQ(commands[0].verb, command);
        EXPECT_EQ(commands[0].request.id, "initial");
    }
    EXPECT_EQ(ask("POST", "/snapshots/initial/stop").status, 404);
    EXPECT_EQ(ask("GET", "/snapshots/initial/pause").status, 405);
}

TEST_F(SnapshotRoutesTest, OnlyWhatIsKnownAndUnderWayCanBeChanged) {
    publish({reported("over", State::done)});
    const auto unknown = ask("POST", "/snapshots/other/pause");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_THAT(unknown.body, HasSubstr("there is no such snapshot"));
    const auto over = ask("POST", "/snapshots/over/cancel");
    EXPECT_EQ(over.status, 409);
    EXPECT_THAT(over.body, HasSubstr("the snapshot is done"));
    EXPECT_THAT(snapshot_requests.take(), IsEmpty());
}

TEST_F(SnapshotRoutesTest, TooManyRequestsAreRefused) {
    for (std::size_t i = 0; i < SnapshotRequests::kRequests_max; ++i)
        EXPECT_EQ(start().status, 202);
    EXPECT_EQ(start().status, 503);
    EXPECT_EQ(ask("POST", "/snapshots/s-20261121-025705-1/cancel").status, 503);
    EXPECT_EQ(shown().requests.size(), SnapshotRequests::kRequests_max);
    snapshot_requests.take();
    EXPECT_EQ(start().status, 202);
    EXPECT_EQ(shown().requests.size(), SnapshotRequests::kRequests_max);
}

}  // namespace
}  // namespace pgc
