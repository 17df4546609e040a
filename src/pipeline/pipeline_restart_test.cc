// What is decided to be done differently begins again without being a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

TEST_F(PipelineTest, ADecisionToGoOnOtherwiseIsNoFailure) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(200ms, [this] {
        parts.server.read_errors.push_back(
            restart_with(Error::Category::server, "text from now on"));
        parts.server.arrived = 2;
    });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.started_at, testing::ElementsAre(Lsn{50}, Lsn{105}));
    EXPECT_EQ(sent(), 2U);
    EXPECT_EQ(metrics.counter(Metric::errors_total, {"server"}).value(), 0U);
    EXPECT_EQ(status.snapshot().attempts, 0U);
    EXPECT_THAT(lines.text, testing::HasSubstr("reconnecting"));
    EXPECT_THAT(lines.text, testing::HasSubstr("text from now on"));
}

TEST_F(PipelineTest, ADecisionThatDoesNotHelpIsTriedWithPauses) {
    parts.server.log = {{100}};
    for (int i = 0; i < 1000; ++i) {
        parts.server.read_errors.push_back(
            restart_with(Error::Category::server, "text from now on"));
    }
    stop_after(60s);
    run_well();
    EXPECT_LT(parts.server.started_at.size(), 120U);
}

}  // namespace
}  // namespace pgc
