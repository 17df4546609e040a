#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(PipelineTest, AnUnusableStoreStopsBeforeConnecting) {
    store.load_errors.push_back(stop(Error::Category::position, "damaged"));
    EXPECT_EQ(run_into_error().what, "damaged");
    EXPECT_THAT(parts.server.may_create, ElementsAre());
}

TEST_F(PipelineTest, AStoreThatIsStillLookingIsWaitedForBeforeConnecting) {
    store_has(105);
    store.slow_loads = 20;
    parts.server.log = {{100}, {200}};
    after(100ms, [this] { EXPECT_THAT(parts.server.may_create, ElementsAre()); });
    for (int turn = 2; turn <= 20; ++turn) after(turn * 100ms, [] {});
    stop_after(2500ms);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_THAT(parts.server.may_create, ElementsAre(false));
}

// A long topic of positions: what was found out meanwhile is never as fresh as it should be.
TEST_F(PipelineTest, AStoreThatIsSlowToReadIsReadTwiceAndNoMore) {
    store_has(105);
    parts.server.log = {{100}, {200}};
    store.slow_loads = 20;
    store.on_loaded = [this] { store.slow_loads = 20; };
    for (int turn = 1; turn <= 150; ++turn) after(turn * 100ms, [] {});
    stop_after(15s);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_THAT(parts.server.may_create, ElementsAre(false, false)) << "two connections";
}

TEST_F(PipelineTest, AMissingStoreIsMadeBeforeTheSlotIs) {
    store.missing = true;
    parts.server.log = {{100}};
    stop_after(500ms);
    run_well();
    EXPECT_FALSE(store.missing);
    EXPECT_THAT(parts.server.may_create, ElementsAre(false, true));
    EXPECT_EQ(sent(), 1U);
    ASSERT_TRUE(store.content);
}

TEST_F(PipelineTest, AMissingStoreBesideASlotStopsAndStaysMissing) {
    store.missing = true;
    parts.server.identity.slot_is_new = false;
    const Error error = run_into_error();
    EXPECT_THAT(error.what, HasSubstr("store of positions is missing"));
    EXPECT_THAT(error.hint, HasSubstr("pg-capture adopt"));
    EXPECT_TRUE(store.missing) << "or the next start would find nothing wrong";
    EXPECT_FALSE(store.content);
}

TEST_F(PipelineTest, AFullDiskAtTheStartStopsBeforeStreaming) {
    store.save_errors.push_back(stop(Error::Category::storage, "disk full"));
    EXPECT_EQ(run_into_error().what, "disk full");
    EXPECT_THAT(parts.server.started_at, ElementsAre());
}

TEST_F(PipelineTest, AFullDiskWhileStreamingStopsAndConfirmsNothingMore) {
    parts.server.log = {{100}};
    parts.server.arrived = 0;
    after(200ms, [this] {
        store.save_errors.push_back(stop(Error::Category::storage, "disk full"));
        parts.server.arrived = 1;
    });
    EXPECT_EQ(run_into_error().what, "disk full");
    EXPECT_THAT(parts.server.confirmed, ElementsAre(Lsn{50}));
}

TEST_F(PipelineTest, ASlowStoreIsWaitedForBeforeTheStreamStarts) {
    store.slow = true;
    after(300ms, [this] {
        EXPECT_THAT(parts.server.started_at, ElementsAre());
        store.slow = false;
    });
    after(301ms, [] {});
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
}

TEST_F(PipelineTest, ASlotThatIsMovedWhileASlowStoreIsWaitedForIsNoticed) {
    store.slow = true;
    after(2s, [this] { parts.server.identity.slot_confirmed = Lsn{4000}; });
    after(3s, [this] { store.slow = false; });
    after(3001ms, [] {});
    EXPECT_THAT(run_into_error().what, HasSubstr("ahead of our position"));
    EXPECT_THAT(parts.server.started_at, ElementsAre());
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

TEST_F(PipelineTest, ASlotThatWasMovedOnAsTheStreamBeganStopsTheNextAttempt) {
    parts.server.service_errors.push_back(retry(Error::Category::server, "it was moved on"));
    parts.server.log = {{100}};
    after(1ms, [this] { parts.server.identity.slot_confirmed = Lsn{4000}; });
    EXPECT_THAT(run_into_error().what, HasSubstr("ahead of our position"));
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
    EXPECT_EQ(sent(), 0U);
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

TEST_F(PipelineTest, WhatIsBeingStoredGoesOnWhileTheSinkIsDrained) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(1500ms, [this] {
        store.slow = true;  // the quiet stream's position
        parts.destination.confirms = false;
        parts.server.arrived = 2;
    });
    stop_after(2s);
    after(2200ms, [this] { store.slow = false; });
    after(2201ms, [this] { EXPECT_EQ(store.content->resume_at, Lsn{105}); });
    after(2500ms, [this] { parts.destination.confirms = true; });
    after(2501ms, [] {});
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{205});
}

TEST_F(PipelineTest, AFullDiskAtTheFirstStartIsToldAndStops) {
    options.snapshot = SnapshotMode::initial;
    store.content = StoredPosition{.pipeline = "p", .snapshot = "all"};  // of an older version
    for (int i = 0; i < 1000; ++i) {
        store.save_errors.push_back(stop(Error::Category::storage, "disk full")
                                        .with_hint("free space on that file system"));
    }
    EXPECT_EQ(run_into_error().what, "disk full");
    EXPECT_THAT(parts.server.may_create, ElementsAre(true)) << "one connection";
    EXPECT_THAT(lines.text, HasSubstr("free space on that file system"));
    EXPECT_THAT(parts.server.started_at, ElementsAre());
    EXPECT_THAT(parts.server.confirmed, ElementsAre());
}

TEST_F(PipelineTest, AStoreThatCannotBeMadeIsTriedWithPausesAndThatIsTold) {
    store.missing = store.missing_for_ever = true;
    stop_after(60s);
    run_well();
    EXPECT_THAT(lines.text, HasSubstr("missing, though it was created"));
    EXPECT_GT(parts.server.may_create.size(), 30U);
    EXPECT_LT(parts.server.may_create.size(), 200U);
}

TEST_F(PipelineTest, AnInstanceThatStoresAgainAndAgainIsLookedAtWithPauses) {
    store_has(40);
    store.on_loaded = [this] {
        store.content->resume_at.value += 1;  // which is below the slot's place for a long time
        parts.server.identity.slot_confirmed.value += 1;
    };
    stop_after(60s);
    run_well();
    EXPECT_THAT(lines.text, HasSubstr("moved while we waited"));
    EXPECT_LT(parts.server.may_create.size(), 200U);
}

}  // namespace
}  // namespace pgc
