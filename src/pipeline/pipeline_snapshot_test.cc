// Rows that were there before the stream: when they are asked for, and what of them is stored.
#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(PipelineTest, ANewSlotBringsASnapshotThatIsStoredWithTheFirstPosition) {
    options.snapshot = SnapshotMode::initial;
    std::vector<StoredPosition> saved;
    store.on_saved = [&](const StoredPosition& position) { saved.push_back(position); };
    parts.server.log = {{100}};
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all"));
    EXPECT_EQ(sent(), 5U);
    ASSERT_GE(saved.size(), 2U);
    EXPECT_EQ(saved[0].resume_at, Lsn{50});
    EXPECT_EQ(saved[0].snapshot, "all");
    EXPECT_EQ(store.content->snapshot, "");
    ASSERT_EQ(parts.destination.ended.size(), 1U) << "the sink hears of the table's end";
    EXPECT_EQ(parts.destination.ended[0].name, "t");
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, ASlotThatWasThereWithoutAPositionBringsASnapshotToo) {
    options.snapshot = SnapshotMode::initial;
    parts.server.identity.slot_is_new = false;
    std::vector<StoredPosition> saved;
    store.on_saved = [&](const StoredPosition& position) { saved.push_back(position); };
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.may_create, ElementsAre(true));
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all"));
    EXPECT_EQ(sent(), 4U);
    ASSERT_GE(saved.size(), 1U);
    EXPECT_EQ(saved[0].snapshot, "all") << "a crash from here on loses none of it";
    EXPECT_THAT(lines.text, HasSubstr("a snapshot of all captured tables follows"));
}

TEST_F(PipelineTest, WhatASourceRemembersIsStoredWithItsSnapshot) {
    options.snapshot = SnapshotMode::initial;
    std::vector<StoredPosition> saved;
    store.on_saved = [&](const StoredPosition& position) { saved.push_back(position); };
    parts.server.log = {{100}};
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.recalled, ElementsAre(""));
    EXPECT_EQ(store.content->memory, "rows 4");
    for (const StoredPosition& position : saved) {
        if (position.snapshot.starts_with("behind ")) {
            EXPECT_EQ(position.memory, "rows " + position.snapshot.substr(7));
        }
    }
}

TEST_F(PipelineTest, WhatASourceRememberedIsGivenToTheNext) {
    store_has(50);
    store.content->memory = "rows 4";
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.recalled, ElementsAre("rows 4"));
}

TEST_F(PipelineTest, AnIntentionThatAnOlderVersionStoredIsNoPosition) {
    options.snapshot = SnapshotMode::initial;
    store.content = StoredPosition{.pipeline = "p", .snapshot = "all"};
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.may_create, ElementsAre(true));
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all"));
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

// Whoever held the slot stores a snapshot's request and dies while we wait for the slot.
TEST_F(PipelineTest, ASuccessorReadsWhatItsPredecessorStoredWhileItWaited) {
    options.snapshot = SnapshotMode::initial;
    store_has(50);
    bool once = false;
    store.on_loaded = [&] {
        if (!std::exchange(once, true)) store.content->snapshot = "all";
    };
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all"));
    EXPECT_EQ(parts.server.may_create.size(), 2U) << "it looked again";
}

TEST_F(PipelineTest, APositionThatWasMovedOnMeanwhileIsNoLoss) {
    options.snapshot = SnapshotMode::when_needed;
    store_has(40);
    bool once = false;
    store.on_loaded = [&] {
        if (!std::exchange(once, true)) store.content->resume_at = Lsn{50};  // where the slot is
    };
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre(""));
    EXPECT_THAT(lines.text, testing::Not(HasSubstr("changes were missed")));
}

// Whoever has taken over, while we stood still, knows better where to go on: of ours nothing is
// stored any more, neither now nor while we wait for the next attempt.
TEST_F(PipelineTest, AnInstanceWithASuccessorStoresNothingMoreAndBeginsAnew) {
    store_has(50);
    parts.server.log = {{100, 2}};
    store.save_errors.push_back(retry(Error::Category::position, "another instance has stored"));
    store.on_saved = [&](const StoredPosition&) { EXPECT_EQ(parts.server.may_create.size(), 2U); };
    stop_after(10s);
    run_well();
    EXPECT_THAT(lines.text, HasSubstr("another instance has stored"));
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{50}));
    EXPECT_EQ(sent(), 4U) << "what the successor does not know of comes again";
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, AnInstanceWithASuccessorEndsWellWhenItIsAskedTo) {
    store_has(50);
    parts.server.log = {{100, 2}};
    store.slow = true;  // the save of what came is under way when it is asked to end
    after(100ms, [&] {
        store.saved_errors.push_back(
            retry(Error::Category::position, "another instance has stored"));
        stop_request.request();
    });
    run_well();
    EXPECT_THAT(lines.text, HasSubstr("another instance has stored"));
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

TEST_F(PipelineTest, WhatIsLeftOfASnapshotIsReadAfterABreak) {
    options.snapshot = SnapshotMode::initial;
    parts.server.snapshot_arrived = 3;
    after(500ms, [this] {
        parts.server.snapshot_arrived = 4;
        parts.server.read_errors.push_back(passing());
    });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all", "behind 3"));
    EXPECT_EQ(sent(), 4U) << "nothing is read twice";
}

TEST_F(PipelineTest, OnlyEndsWhenEverythingIsReadAndStored) {
    options.snapshot = SnapshotMode::only;
    run_well();
    EXPECT_EQ(sent(), 4U);
    EXPECT_EQ(store.content->snapshot, "");
}

TEST_F(PipelineTest, AlwaysIsOnceAProcess) {
    store_has(105);
    options.snapshot = SnapshotMode::always;
    after(500ms, [this] { parts.server.read_errors.push_back(passing()); });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all", ""));
}

TEST_F(PipelineTest, ALossIsFollowedByASnapshotWhereThatIsWanted) {
    store_has(105);
    parts.server.identity.slot_confirmed = Lsn{300};
    options.snapshot = SnapshotMode::when_needed;
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("all"));
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{300}));
    EXPECT_THAT(lines.text, HasSubstr("changes were missed"));
}

TEST_F(PipelineTest, AnotherSystemOrDatabaseIsNoLossButAWrongHost) {
    options.snapshot = SnapshotMode::when_needed;
    for (const auto& [system, database] : {std::pair{"2", "db"}, std::pair{"1", "bank"}}) {
        store_has(105);
        parts.server.identity.system = system;
        parts.server.identity.database = database;
        EXPECT_EQ(run_into_error().category, Error::Category::position);
        EXPECT_THAT(parts.server.snapshots, ElementsAre());
        EXPECT_EQ(store.content->resume_at, Lsn{105});
        ASSERT_TRUE(parts.server.homes.back()) << "nothing may be made there";
        EXPECT_EQ(parts.server.homes.back()->system, "1");
        EXPECT_EQ(parts.server.homes.back()->database, "db");
    }
}

TEST_F(PipelineTest, WithoutThatALossStops) {
    store_has(105);
    parts.server.identity.slot_confirmed = Lsn{300};
    options.snapshot = SnapshotMode::initial;
    EXPECT_EQ(run_into_error().category, Error::Category::position);
    EXPECT_THAT(parts.server.snapshots, ElementsAre());
}

TEST_F(PipelineTest, WhatHasBegunIsFinishedAlsoWithNever) {
    store_has(105);
    store.content->snapshot = "behind 2";
    stop_after(500ms);
    run_well();
    EXPECT_THAT(parts.server.snapshots, ElementsAre("behind 2"));
    EXPECT_EQ(sent(), 2U);
    EXPECT_EQ(store.content->snapshot, "");
}

TEST_F(PipelineTest, CommandsReachTheSourceAndItsReportComesBack) {
    options.snapshot = SnapshotMode::initial;
    parts.server.snapshot_arrived = 1;
    after(300ms, [this] {
        EXPECT_TRUE(snapshot_requests.post(
            {.verb = SnapshotCommand::Verb::pause, .request = {.id = "x", .tables = {}}}));
    });
    after(900ms, [this] {
        ASSERT_EQ(snapshot_requests.report().requests.size(), 1U);
        EXPECT_EQ(snapshot_requests.report().requests[0].id, "initial");
        EXPECT_TRUE(status.snapshot().progress.snapshot);
    });
    stop_after(1s);
    run_well();
    ASSERT_EQ(parts.server.commands.size(), 1U);
    EXPECT_EQ(parts.server.commands[0].request.id, "x");
}

}  // namespace
}  // namespace pgc
