#include "server/health_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/clock.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;

class HealthRoutesTest : public ::testing::Test {
protected:
    HealthRoutesTest() {
        add_health_routes(router, {{"shop", status, metrics, snapshot_requests}});
    }

    HttpResponse get(std::string_view path) const {
        return router.answer({.method = "GET", .path = path, .query = {}, .headers = {}});
    }

    SystemClock clock;
    Status status{"shop", clock};
    Metrics metrics{"1.2.3"};
    SnapshotRequests snapshot_requests;
    Router router;
};

TEST_F(HealthRoutesTest, ServesMetrics) {
    metrics.counter(Metric::changes_total, {"public.a", "insert"}).add(3);
    const auto answer = get("/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(answer.body, HasSubstr("cdc_changes_total{table=\"public.a\",op=\"insert\"} 3\n"));
}

TEST_F(HealthRoutesTest, TellsReadyOnlyWhileStreaming) {
    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_EQ(get("/readyz").body, "not ready: starting\n");
    EXPECT_EQ(get("/livez").status, 200);
    EXPECT_EQ(get("/livez").body, "ok\n");
    status.enter(PipelineState::streaming);
    EXPECT_EQ(get("/readyz").status, 200);
    status.failed_with(retry(Error::Category::connection, "gone"));
    status.enter(PipelineState::waiting);
    EXPECT_EQ(get("/readyz").body, "not ready: waiting; last error: gone\n");
    status.enter(PipelineState::failed);
    EXPECT_EQ(get("/livez").status, 503);
    EXPECT_EQ(get("/livez").body, "not live: the pipeline has failed\n");
    EXPECT_EQ(get("/healthz").status, 503);
}

TEST_F(HealthRoutesTest, AnswersWhileThePipelineMoves) {
    std::jthread asking([this] {
        for (int i = 0; i < 200; ++i) {
            EXPECT_THAT(get("/healthz").body, HasSubstr("\"pipeline\":\"shop\""));
        }
    });
    for (int i = 0; i < 200; ++i) {
        status.enter(i % 2 == 0 ? PipelineState::streaming : PipelineState::waiting);
    }
}

}  // namespace
}  // namespace pgc
