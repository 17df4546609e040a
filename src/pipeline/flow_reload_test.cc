#include <gtest/gtest.h>

#include "pipeline/flow.h"
#include "support/fake_parts.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

using Heard = std::vector<std::string>;
using Step = ReloadChange::Step;

// That a table was read comes before that its snapshot is over: else it would not be complete.
TEST(FlowReloadTest, TheSinkHearsOfReloadsInTheirOrder) {
    SimulatedClock clock;
    Metrics metrics{"test"};
    PipelineMetrics pipeline_metrics{metrics, clock};
    RecordPool pool;
    fake::FakeParts parts;
    Flow::Parts made{.source = *parts.make_source({}),
                     .transforms = *parts.make_transforms(nullptr),
                     .encoder = {*parts.make_format(parts.server.identity), nullptr},
                     .sink = *parts.make_sink()};
    ASSERT_TRUE(made.source->start(Lsn{50}, "all"));
    Flow flow(std::move(made), {Lsn{50}}, {}, clock, pool, pipeline_metrics);
    parts.server.reload_changes = {{.step = Step::over, .id = "over"},
                                   {.step = Step::ordered, .id = "ordered"}};
    ASSERT_TRUE(flow.round());
    const Heard& heard = parts.destination.heard;
    ASSERT_GE(heard.size(), 2U);
    EXPECT_EQ((Heard{heard[0], heard[1]}), (Heard{"ordered", "over"}));
    for (int i = 0; i < 20 && parts.destination.ended.empty(); ++i) ASSERT_TRUE(flow.round());
    EXPECT_EQ(parts.destination.ended.size(), 1U);
    parts.server.reload_changes = {{.step = Step::ordered, .id = "later"}};
    flow.request({.verb = SnapshotCommand::Verb::cancel, .request = {.id = "x", .tables = {}}});
    EXPECT_EQ(heard.back(), "later") << "before a seal can store the request";
    parts.server.reload_changes = {{.step = Step::over, .id = "last"}};
    flow.stop_reading();
    EXPECT_EQ(heard.back(), "last");
}

}  // namespace
}  // namespace pgc
