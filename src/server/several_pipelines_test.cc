// Two pipelines on two threads of one process, served by one router: each has its own source, sink,
// store, state and metrics, and nothing of the other's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <thread>

#include "pipeline/pipeline.h"
#include "server/health_json.h"
#include "server/health_routes.h"
#include "server/snapshot_routes.h"
#include "support/eventually.h"
#include "support/fake_parts.h"
#include "support/shared_lines.h"

namespace pgc {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

// What is one pipeline's own.
struct Hosted {
    Hosted(std::string called, const Clock& its_clock, Log& log)
        : name(std::move(called)),
          clock(its_clock),
          logger(log.logger("pipeline").with({{"pipeline", name}})) {
        options.name = name;
        options.poll_interval = std::chrono::milliseconds{1};
        parts.server.identity.slot = name;
    }

    ServedPipeline served() { return {name, status, metrics, snapshot_requests}; }
    void start() {
        thread = std::thread{[this] {
            PollWaiter waiter{clock};
            Random random{3};
            Pipeline pipeline{options,
                              {.clock = clock,
                               .waiter = waiter,
                               .random = random,
                               .store = store,
                               .parts = parts,
                               .stop = stop,
                               .status = status,
                               .metrics = metrics,
                               .snapshot_requests = snapshot_requests,
                               .log = logger}};
            outcome = pipeline.run();
        }};
    }
    void end() {
        stop.request();
        thread.join();
    }

    const std::string name;
    const Clock& clock;
    const Logger logger;
    PipelineOptions options;
    fake::FakeParts parts;
    fake::FakeStore store;
    StopRequest stop;
    Metrics metrics{"1.2.3", name};
    Status status{name, clock};
    SnapshotRequests snapshot_requests;
    std::thread thread;
    Result<void> outcome;
};

class SeveralPipelinesTest : public testing::Test {
protected:
    SeveralPipelinesTest() {
        shop.parts.server.log = {{100, 2}, {200, 1}};
        orders.parts.server.log = {{300, 1}};
        const ServedPipelines both{shop.served(), orders.served()};
        add_health_routes(router, both);
        add_snapshot_routes(router, both,
                            {.clock = clock,
                             .token = [] { return Result<Secret>{Secret{"sesame"}}; },
                             .log = log.logger("server")});
    }

    HttpResponse ask(std::string_view method, std::string_view path, std::string_view body = {}) {
        HttpRequest request{.method = method, .path = path, .query = {}, .headers = {}};
        request.headers.emplace_back("Authorization", "Bearer sesame");
        request.body = body;
        return router.answer(request);
    }
    static bool has_taken_requests(const Hosted& pipeline) {
        pollfd waiting{.fd = pipeline.snapshot_requests.wake_fd(), .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, 0) == 0;
    }
    std::uint64_t changes_of(const Hosted& pipeline) {
        return read_health(ask("GET", "/pipelines/" + pipeline.name + "/healthz").body)
            ->progress.changes;
    }

    SystemClock clock;
    SharedLines lines;
    Log log{{}, lines, clock};
    Hosted shop{"shop", clock, log};
    Hosted orders{"orders", clock, log};
    Router router;
};

TEST_F(SeveralPipelinesTest, EachDeliversItsOwnAndEndsOnItsOwn) {
    shop.start();
    orders.start();
    EXPECT_TRUE(eventually([&] { return ask("GET", "/readyz").status == 200; }));
    EXPECT_TRUE(eventually([&] { return changes_of(shop) == 3 && changes_of(orders) == 1; }));
    const auto answer = ask("POST", "/pipelines/shop/snapshots", R"({"tables":["a.b"],"id":"s"})");
    EXPECT_EQ(answer.status, 202);
    EXPECT_THAT(answer.headers, Contains(Pair("Location", "/pipelines/shop/snapshots/s")));
    EXPECT_TRUE(eventually([&] { return has_taken_requests(shop); }));

    orders.end();
    EXPECT_TRUE(orders.outcome);
    EXPECT_EQ(ask("GET", "/pipelines/shop/readyz").status, 200);
    EXPECT_EQ(ask("GET", "/readyz").body, "not ready: orders: stopped\n");
    EXPECT_THAT(ask("GET", "/healthz").body,
                AllOf(HasSubstr(R"("ready":false,"pipelines":[{"pipeline":"shop",)"),
                      HasSubstr(R"({"pipeline":"orders",)")));

    shop.end();
    EXPECT_TRUE(shop.outcome);
    EXPECT_THAT(shop.parts.destination.durable,
                ElementsAre(Pair(100, 1), Pair(100, 2), Pair(200, 1)));
    EXPECT_THAT(orders.parts.destination.durable, ElementsAre(Pair(300, 1)));
    EXPECT_EQ(shop.store.content->resume_at, Lsn{205});
    EXPECT_EQ(orders.store.content->resume_at, Lsn{305});
    EXPECT_EQ(shop.store.content->pipeline, "shop");
    EXPECT_EQ(orders.store.content->pipeline, "orders");
    ASSERT_EQ(shop.parts.server.commands.size(), 1U);
    EXPECT_EQ(shop.parts.server.commands.front().request.id, "s");
    EXPECT_TRUE(orders.parts.server.commands.empty());
    EXPECT_EQ(ask("GET", "/snapshots").status, 404) << "whose?";
    EXPECT_THAT(lines.text(), AllOf(HasSubstr("pipeline=shop"), HasSubstr("pipeline=orders")));
}

TEST_F(SeveralPipelinesTest, OneThatFailsLeavesTheOtherAlone) {
    orders.parts.server.open_errors.push_back(stop(Error::Category::permission, "no right to"));
    shop.start();
    orders.start();
    orders.thread.join();
    EXPECT_FALSE(orders.outcome);
    EXPECT_TRUE(eventually([&] { return changes_of(shop) == 3; }));
    EXPECT_EQ(ask("GET", "/livez").status, 503);
    EXPECT_THAT(ask("GET", "/livez").body,
                AllOf(HasSubstr("not live: orders: "), Not(HasSubstr("shop"))));
    EXPECT_EQ(ask("GET", "/healthz").status, 503);
    EXPECT_EQ(ask("GET", "/pipelines/shop/livez").status, 200);
    EXPECT_EQ(ask("GET", "/pipelines/orders/livez").status, 503);
    shop.end();
    EXPECT_TRUE(shop.outcome);
    EXPECT_EQ(shop.parts.destination.durable.size(), 3U);
}

TEST_F(SeveralPipelinesTest, WhatIsSharedIsAskedWhileBothMove) {
    shop.start();
    orders.start();
    for (int i = 0; i < 50; ++i) {
        EXPECT_THAT(ask("GET", "/metrics").body,
                    AllOf(HasSubstr("cdc_pipeline_state{pipeline=\"shop\","),
                          HasSubstr("cdc_pipeline_state{pipeline=\"orders\",")));
        EXPECT_EQ(ask("GET", "/healthz").status, 200);
    }
    shop.end();
    orders.end();
}

}  // namespace
}  // namespace pgc
