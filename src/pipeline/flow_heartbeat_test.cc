#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/flow.h"
#include "support/fake_parts.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

class FlowHeartbeatTest : public testing::Test {
protected:
    FlowHeartbeatTest() { options.heartbeat_interval = 300ms; }

    Flow& flow() {
        if (!flow_) {
            Flow::Parts made{.source = *parts.make_source({}),
                             .transforms = *parts.make_transforms(nullptr),
                             .encoder = {*parts.make_format(parts.server.identity), nullptr},
                             .sink = *parts.make_sink()};
            EXPECT_TRUE(made.source->start(Lsn{50}, {}));
            flow_ = std::make_unique<Flow>(std::move(made), ResumePoint{Lsn{50}}, options, clock,
                                           pool, pipeline_metrics);
        }
        return *flow_;
    }
    void round() {
        const auto more = flow().round();
        EXPECT_TRUE(more) << describe(more.error());
    }
    void after(Duration pause) {
        flow();
        clock.advance(pause);
        round();
    }
    // When it wants to be called again at the latest.
    Instant until() {
        Wants wants;
        flow().wants(wants);
        return wants.deadline;
    }
    int heartbeats() const { return parts.destination.heartbeats; }

    SimulatedClock clock;
    Metrics metrics{"test"};
    PipelineMetrics pipeline_metrics{metrics, clock};
    RecordPool pool;
    fake::FakeParts parts;
    FlowOptions options;
    std::unique_ptr<Flow> flow_;
};

TEST_F(FlowHeartbeatTest, OneIsSentWhenTheIntervalHasPassedThoughNothingChanges) {
    round();
    EXPECT_EQ(heartbeats(), 0);
    EXPECT_EQ(until(), clock.now() + 300ms);
    after(299ms);
    EXPECT_EQ(heartbeats(), 0);
    after(1ms);
    EXPECT_EQ(heartbeats(), 1);
    round();
    EXPECT_EQ(heartbeats(), 1);
    after(10s);
    EXPECT_EQ(heartbeats(), 2) << "those that were missed are not made up for";
}

TEST_F(FlowHeartbeatTest, WithoutAnIntervalNoneIs) {
    options.heartbeat_interval = {};
    for (int i = 0; i < 10; ++i) {
        round();
        clock.advance(1h);
    }
    EXPECT_EQ(heartbeats(), 0);
}

TEST_F(FlowHeartbeatTest, ItMovesNoPositionAndIsNoChange) {
    parts.server.log = {{100, 2}};
    after(1s);
    after(1s);
    EXPECT_EQ(heartbeats(), 2);
    EXPECT_EQ(parts.destination.durable.back().first, 105U) << "all before is durable";
    EXPECT_EQ(flow().confirmable(), Lsn{105});
    EXPECT_EQ(flow().sent_records(), 2U);
    EXPECT_EQ(flow().confirmable_records(), 2U);
}

TEST_F(FlowHeartbeatTest, WhatIsIdleIsConfirmedAllTheSame) {
    parts.server.idle = Lsn{500};
    after(1s);
    EXPECT_EQ(heartbeats(), 1);
    round();
    EXPECT_EQ(flow().confirmable(), Lsn{500});
    EXPECT_TRUE(flow().settled());
}

TEST_F(FlowHeartbeatTest, OneThatIsNotDurableIsNotCalledSo) {
    parts.destination.confirms = false;
    after(1s);
    EXPECT_FALSE(flow().settled());
    EXPECT_EQ(flow().confirmable(), Lsn{50});
    parts.destination.confirms = true;
    round();
    EXPECT_TRUE(flow().settled());
}

TEST_F(FlowHeartbeatTest, WhileTheFormatCannotWriteItChangesGoOn) {
    round();
    parts.writing.waits_with_heartbeat = true;
    parts.server.log = {{100, 1}};
    after(1s);
    EXPECT_EQ(heartbeats(), 0);
    EXPECT_EQ(parts.destination.durable.size(), 1U);
    Wants wants;
    flow().wants(wants);
    EXPECT_EQ(std::ranges::count(wants.interests, fake::FakeFormat::kFd, &Interest::fd), 1);
    round();
    EXPECT_EQ(heartbeats(), 1);
}

TEST_F(FlowHeartbeatTest, AFullSinkGetsItWhenThereIsRoom) {
    parts.destination.room = 0;
    after(1s);
    round();
    EXPECT_EQ(until(), kNever) << "the sink's room is waited for, and not the time";
    parts.destination.room = 1;
    round();
    EXPECT_EQ(heartbeats(), 1);
}

// A sink that stands still would collect them for hours.
TEST_F(FlowHeartbeatTest, OneIsOnItsWayAtMost) {
    parts.destination.confirms = false;
    for (int i = 0; i < 100; ++i) after(1s);
    const auto charged = pool.charged();
    for (int i = 0; i < 100; ++i) after(1s);
    EXPECT_EQ(pool.charged(), charged);
    EXPECT_EQ(until(), kNever) << "the sink is waited for, and not the time";
    parts.destination.confirms = true;
    round();
    EXPECT_EQ(heartbeats(), 2);
}

TEST_F(FlowHeartbeatTest, OneAfterTheOtherKeepsNoIdlePositionWaiting) {
    parts.destination.confirms_max = 0;
    after(1s);
    parts.server.idle = Lsn{500};
    parts.destination.confirms_max = 1;
    after(1s);
    EXPECT_EQ(heartbeats(), 1);
    EXPECT_FALSE(flow().settled()) << "the second is on its way";
    EXPECT_EQ(flow().confirmable(), Lsn{500});
}

TEST_F(FlowHeartbeatTest, WhileItEndsNoneIsSent) {
    round();
    clock.advance(1s);
    ASSERT_TRUE(flow().settle());
    EXPECT_EQ(heartbeats(), 0);
    EXPECT_TRUE(flow().settled());
}

}  // namespace
}  // namespace pgc
