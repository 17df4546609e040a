#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(PipelineTest, ANewSlotIsStoredBeforeItIsConfirmed) {
    stop_after(500ms);
    run_well();
    ASSERT_TRUE(store.content);
    EXPECT_EQ(store.content->resume_at, Lsn{50});
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
    EXPECT_THAT(parts.server.may_create, ElementsAre(true));
}

TEST_F(PipelineTest, StreamsAndStoresAtTheEnd) {
    parts.server.log = {{100, 2}, {200, 1}};
    stop_after(500ms);
    run_well();
    EXPECT_EQ(sent(), 3U);
    EXPECT_EQ(store.content->resume_at, Lsn{205});
    EXPECT_EQ(parts.server.confirmed.back(), Lsn{205});
    EXPECT_TRUE(parts.server.closed);
}

TEST_F(PipelineTest, GoesOnFromTheStoredPositionAndMayNotCreateTheSlot) {
    store_has(105);
    parts.server.log = {{100}, {200}};
    stop_after(500ms);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{105}));
    EXPECT_THAT(parts.server.may_create, ElementsAre(false));
    EXPECT_EQ(parts.server.confirmed.front(), Lsn{105}) << "a rewound slot is reported at once";
}

TEST_F(PipelineTest, AForeignSlotIsTakenOverAndThatIsTold) {
    parts.server.identity.slot_is_new = false;
    stop_after(500ms);
    run_well();
    EXPECT_THAT(lines.text, HasSubstr("rows that are in the tables already are not sent"));
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

TEST_F(PipelineTest, AMovedSlotStopsAndNothingIsSent) {
    store_has(40);
    parts.server.log = {{100}};
    const Error error = run_into_error();
    EXPECT_EQ(error.category, Error::Category::position);
    EXPECT_EQ(sent(), 0U);
    EXPECT_THAT(parts.server.started_at, ElementsAre());
    EXPECT_EQ(store.content->resume_at, Lsn{40});
}

TEST_F(PipelineTest, AnotherInstanceThatStoresWhileWeConnectIsNoLoss) {
    store_has(40);
    store.on_loaded = [this] {
        store.content->resume_at = std::max(store.content->resume_at, Lsn{50});
    };
    parts.server.log = {{100}};
    stop_after(500ms);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
}

TEST_F(PipelineTest, APromotedServersTimelineIsStored) {
    store_has(100);
    parts.server.identity.timeline = 2;
    parts.server.identity.history = {{1, Lsn{500}}};
    stop_after(500ms);
    run_well();
    EXPECT_EQ(store.content->timeline, 2U);
}

TEST_F(PipelineTest, WhatTheSourceIsNotCertainOfIsNeitherStoredNorConfirmed) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.certain = Lsn{250};
    options.checkpoint_interval = 1s;
    after(10s, [this] {
        EXPECT_EQ(sent(), 3U);
        EXPECT_EQ(store.content->resume_at, Lsn{250});
        EXPECT_EQ(parts.server.confirmed.back(), Lsn{250});
        parts.server.certain = Lsn{400};
    });
    after(15s, [this] {
        EXPECT_EQ(store.content->resume_at, Lsn{305});
        EXPECT_EQ(parts.server.confirmed.back(), Lsn{305});
    });
    stop_after(20s);
    run_well();
}

TEST_F(PipelineTest, AStandbyThatIsPromotedIsFollowedOnFromWhereItsTimelineWasKnown) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.certain = Lsn{250};
    after(5s, [this] {
        parts.server.identity.timeline = 2;
        parts.server.identity.history = {{1, Lsn{260}}};
        parts.server.service_errors.push_back(passing("it is on another timeline"));
    });
    after(6s, [this] { parts.server.certain.reset(); });
    stop_after(15s);
    run_well();
    EXPECT_THAT(parts.server.started_at, testing::ElementsAre(Lsn{50}, Lsn{250}));
    EXPECT_EQ(store.content->timeline, 2U);
    EXPECT_EQ(store.content->resume_at, Lsn{305});
}

TEST_F(PipelineTest, CertaintyIsWaitedForAtTheEndButNotLong) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.certain = Lsn{250};
    stop_after(5s);
    after(7s, [this] { parts.server.certain = Lsn{400}; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{305});
    EXPECT_LT(took, 7s + 500ms);
}

TEST_F(PipelineTest, WhatStaysUncertainAtTheEndComesAgain) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.certain = Lsn{250};
    stop_after(5s);
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{250});
    EXPECT_LT(took, 10s);
}

TEST_F(PipelineTest, ThePositionIsStoredEachSecondUnderLoadAndConfirmedAtTheInterval) {
    options.checkpoint_interval = 10s;
    for (std::uint64_t i = 1; i <= 400; ++i) parts.server.log.push_back({100 * i});
    parts.server.arrived = 0;
    for (int i = 1; i <= 400; ++i) after(i * 50ms, [this] { ++parts.server.arrived; });
    int stores = 0;
    std::uint64_t repeats_max = 0;
    store.on_saved = [&](const StoredPosition&) { ++stores; };
    for (int i = 1; i <= 190; ++i) {
        after(i * 100ms + 1ms, [&] {
            const std::uint64_t stored = store.content->resume_at.value / 100;
            repeats_max = std::max(repeats_max, sent() - std::min<std::uint64_t>(stored, sent()));
        });
    }
    stop_after(19900ms);
    run_well();
    EXPECT_GE(stores, 20);
    EXPECT_LE(stores, 24);
    EXPECT_LE(repeats_max, 21U) << "what is sent in a second";
    EXPECT_EQ(parts.server.confirmed.size(), 3U) << "at the start, after ten seconds, at the end";
}

TEST_F(PipelineTest, AProcessThatDiesInItsFirstSecondGetsOn) {
    store_has(50);
    for (std::uint64_t i = 1; i <= 100; ++i) parts.server.log.push_back({100 * i});
    parts.server.arrived = 0;
    for (int i = 1; i <= 100; ++i) after(i * 50ms, [this] { ++parts.server.arrived; });
    after(400ms, [this] {
        store.slow = true;  // nothing more is stored, as in a kill
        stop_request.request();
        stop_request.request();
    });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, APositionThatNoRecordMovedIsStoredAtTheInterval) {
    options.checkpoint_interval = 2s;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        parts.server.log.push_back({.commit = 100 * i, .filtered = true});
    }
    parts.server.arrived = 0;
    for (int i = 1; i <= 100; ++i) after(i * 50ms, [this] { ++parts.server.arrived; });
    int stores = 0;
    store.on_saved = [&](const StoredPosition&) { ++stores; };
    stop_after(4990ms);
    run_well();
    EXPECT_EQ(stores, 4) << "at the start, after two and four seconds, at the end";
    EXPECT_EQ(metrics.counter(Metric::checkpoints_total).value(), 4U);
}

TEST_F(PipelineTest, AnIdleServerIsConfirmedSoonAndOnlyAfterItWasStored) {
    after(100ms, [this] { parts.server.idle = Lsn{700}; });
    after(3s, [this] { EXPECT_EQ(parts.server.confirmed.back(), Lsn{700}); });
    stop_after(4s);
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{700});
}

TEST_F(PipelineTest, AnIdlePipelineHardlyWakes) {
    options.poll_interval = 10s;
    parts.server.idle = Lsn{700};
    stop_after(100s);
    run_well();
    EXPECT_LT(waiter.waits(), 60U);
}

TEST_F(PipelineTest, ConnectsAgainAfterACutAndSendsNothingTwiceThatWasDurable) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.arrived = 2;
    after(200ms, [this] { parts.server.read_errors.push_back(passing()); });
    after(210ms, [this] { parts.server.arrived = 3; });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{205}));
    EXPECT_EQ(sent(), 3U);
    EXPECT_EQ(metrics.counter(Metric::recovery_attempts_total).value(), 1U);
    EXPECT_EQ(metrics.counter(Metric::errors_total, {"connection"}).value(), 1U);
    EXPECT_THAT(lines.text, HasSubstr("trying again"));
}

TEST_F(PipelineTest, WhatTheSinkMakesDurableAfterACutIsNotReadAgain) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    after(200ms, [this] {
        parts.server.read_errors.push_back(passing());
        parts.destination.confirms = true;
    });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{105}));
    EXPECT_EQ(sent(), 1U);
}

TEST_F(PipelineTest, WhatBecameDurableWhileASlowStoreWasBusyIsNotReadAgain) {
    parts.server.log = {{100}, {200}, {300}};
    parts.server.arrived = 1;
    after(100ms, [this] { store.slow = true; });
    after(1200ms, [this] { parts.server.arrived = 2; });  // is being stored from now on
    after(1500ms, [this] { parts.server.arrived = 3; });
    after(1600ms, [this] { parts.server.read_errors.push_back(passing()); });
    after(5s, [this] { store.slow = false; });
    after(5001ms, [] {});
    stop_after(8s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{305}));
    EXPECT_EQ(sent(), 3U);
    EXPECT_LT(waiter.waits(), 200U);
}

TEST_F(PipelineTest, ABrokenSinkIsBuiltAnewAndFedFromWhatIsDurable) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(200ms, [this] {
        parts.destination.offer_errors.push_back(retry(Error::Category::sink, "broken"));
        parts.server.arrived = 2;
    });
    stop_after(3s);
    run_well();
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{105}));
    EXPECT_EQ(sent(), 2U);
    EXPECT_EQ(metrics.counter(Metric::sink_errors_total).value(), 1U);
}

TEST_F(PipelineTest, RecoversWithinTwoSecondsOfThePeersReturn) {
    parts.server.log = {{100}};
    for (int i = 0; i < 10'000; ++i) parts.server.open_errors.push_back(passing("no route"));
    Instant back;
    Instant streaming;
    after(60s, [&] {
        parts.server.open_errors.clear();
        back = clock.now();
    });
    store.on_saved = [&](const StoredPosition&) {
        if (streaming == Instant{}) streaming = clock.now();
    };
    stop_after(70s);
    run_well();
    EXPECT_LT(streaming - back, 2s);
    EXPECT_EQ(sent(), 1U);
    EXPECT_GT(parts.server.may_create.size(), 30U);
    EXPECT_LT(parts.server.may_create.size(), 200U);
}

TEST_F(PipelineTest, ARepeatedErrorIsToldNowAndThenNotEachTime) {
    for (int i = 0; i < 10'000; ++i) parts.server.open_errors.push_back(passing("no route"));
    stop_after(60s);
    run_well();
    std::size_t reported = 0;
    for (auto at = lines.text.find("trying again"); at != std::string::npos;
         at = lines.text.find("trying again", at + 1)) {
        ++reported;
    }
    EXPECT_GE(reported, 5U);
    EXPECT_LE(reported, 7U);
}

TEST_F(PipelineTest, ErrorsOfEveryPartAreTriedAgain) {
    parts.source_errors.push_back(passing("source"));
    parts.format_errors.push_back(passing("format"));
    parts.sink_errors.push_back(passing("sink"));
    parts.server.start_errors.push_back(passing("start"));
    parts.server.service_errors.push_back(passing("service"));
    parts.server.log = {{100}};
    stop_after(10s);
    run_well();
    EXPECT_EQ(sent(), 1U);
    EXPECT_EQ(metrics.counter(Metric::recovery_attempts_total).value(), 5U);
}

TEST_F(PipelineTest, ARowThatCannotBeEncodedStopsAfterStoringWhatIsDurable) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(200ms, [this] {
        parts.writing.errors.push_back(stop(Error::Category::data, "bad bytes"));
        parts.server.arrived = 2;
    });
    EXPECT_EQ(run_into_error().what, "bad bytes");
    EXPECT_EQ(store.content->resume_at, Lsn{105});
    EXPECT_THAT(lines.text, HasSubstr("bad bytes"));
}

TEST_F(PipelineTest, EndsByItselfAtAGivenPlace) {
    parts.server.log = {{100}, {200}};
    options.until = Lsn{205};
    run_well();
    EXPECT_EQ(sent(), 2U);
    EXPECT_EQ(store.content->resume_at, Lsn{205});
    EXPECT_LT(took, 1s);
}

TEST_F(PipelineTest, TellsItsStateAndProgress) {
    parts.server.log = {{100}};
    StatusSnapshot seen;
    after(500ms, [&] { seen = status.snapshot(); });
    stop_after(1s);
    run_well();
    EXPECT_EQ(seen.state, PipelineState::streaming);
    EXPECT_TRUE(seen.ready);
    EXPECT_EQ(seen.progress.changes, 1U);
    EXPECT_EQ(seen.progress.server_end, Lsn{1'000'000});
}

TEST_F(PipelineTest, WritesAStatusLineEveryTenSeconds) {
    stop_after(35s);
    run_well();
    std::size_t reported = 0;
    for (auto at = lines.text.find(" changes/s"); at != std::string::npos;
         at = lines.text.find(" changes/s", at + 1)) {
        ++reported;
    }
    EXPECT_EQ(reported, 3U);
}

TEST_F(PipelineTest, AClockSetByAnHourDisturbsNothing) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(300ms, [this] { clock.jump_wall(1h); });
    after(600ms, [this] {
        clock.jump_wall(-2h);
        parts.server.arrived = 2;
    });
    stop_after(1s);
    run_well();
    EXPECT_EQ(sent(), 2U);
    EXPECT_LT(took, 1100ms);
}

}  // namespace
}  // namespace pgc
