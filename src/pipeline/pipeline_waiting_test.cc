// What is named as waited for: the server, or the store of the position.
#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(PipelineTest, WhatAnAttemptWaitsForIsNamed) {
    store.load_errors.push_back(retry(Error::Category::connection, "no answer").at(store.where()));
    StatusSnapshot failed;
    StatusSnapshot guarding;
    after(1ms, [&] {
        failed = status.snapshot();
        store.slow = true;
    });
    after(30s, [&] {
        guarding = status.snapshot();
        store.slow = false;
    });
    stop_after(32s);
    run_well();
    EXPECT_EQ(failed.state, PipelineState::waiting);
    EXPECT_EQ(failed.waits_on, WaitsOn::store) << failed.waits_for;
    EXPECT_EQ(guarding.waits_on, WaitsOn::store) << "the first position is stored before it starts";
    EXPECT_THAT(guarding.waits_for, HasSubstr(store.where()));
}

TEST_F(PipelineTest, WithTheServerAndTheStoreAwayTheStoreIsNamedOnceItIsTheOneWaitedFor) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(1500ms, [this] {
        store.slow = true;
        parts.server.arrived = 2;
    });
    after(2s, [this] {
        parts.server.read_errors.push_back(retry(Error::Category::connection, "cut"));
    });
    StatusSnapshot seen;
    after(60s, [&] {
        seen = status.snapshot();
        store.slow = false;
    });
    stop_after(62s);
    run_well();
    EXPECT_EQ(seen.state, PipelineState::waiting);
    EXPECT_EQ(seen.waits_on, WaitsOn::store) << seen.waits_for;
    EXPECT_EQ(store.content->resume_at, Lsn{205});
}

}  // namespace
}  // namespace pgc
