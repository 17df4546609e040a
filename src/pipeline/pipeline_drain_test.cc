#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(PipelineTest, DrainsWhatTheSinkHasBeforeItEnds) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    stop_after(1s);
    after(2s, [this] { parts.destination.confirms = true; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
    EXPECT_EQ(parts.server.confirmed.back(), Lsn{105});
    EXPECT_LT(took, 2500ms);
}

TEST_F(PipelineTest, DrainsABatchInHandToo) {
    parts.server.log = {{100}};
    parts.destination.room = 0;
    stop_after(1s);
    after(2s, [this] { parts.destination.room = 1; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, ReadsNothingMoreWhileDraining) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    parts.destination.confirms = false;
    stop_after(1s);
    after(1500ms, [this] { parts.server.arrived = 2; });
    after(2s, [this] { parts.destination.confirms = true; });
    run_well();
    EXPECT_EQ(sent(), 1U);
}

TEST_F(PipelineTest, ReadsOnToTheEndOfATransactionSoThatNothingIsSentTwice) {
    parts.server.log = {{100, 3}, {200, 2}};
    parts.server.rows_arrived = 2;
    stop_after(1s);
    after(1500ms, [this] { parts.server.rows_arrived = 4; });
    run_well();
    EXPECT_EQ(sent(), 3U) << "the whole of the first, nothing of the second";
    EXPECT_EQ(store.content->resume_at, Lsn{105});
    EXPECT_LT(took, 1700ms);
}

TEST_F(PipelineTest, DoesNotWaitLongForTheEndOfATransaction) {
    parts.server.log = {{100, 3}};
    parts.server.rows_arrived = 2;
    stop_after(1s);
    run_well();
    EXPECT_EQ(sent(), 2U);
    EXPECT_EQ(store.content->resume_at, Lsn{50});
    EXPECT_LT(took, 2500ms);
}

TEST_F(PipelineTest, ASinkThatBreaksAtTheEndOfATransactionIsTold) {
    parts.server.log = {{100, 3}};
    parts.server.rows_arrived = 2;
    stop_after(1s);
    after(1100ms, [this] {
        parts.destination.offer_errors.push_back(stop(Error::Category::sink, "broken"));
        parts.server.rows_arrived = 3;
    });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{50});
    EXPECT_THAT(lines.text, HasSubstr("could not be finished"));
}

TEST_F(PipelineTest, SleepsWhileDraining) {
    options.checkpoint_interval = 1s;
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    parts.destination.confirms = false;
    after(500ms, [this] {
        parts.destination.confirms = true;
        parts.server.arrived = 2;
    });
    after(510ms, [this] { parts.destination.confirms = false; });
    stop_after(700ms);
    run_well();
    EXPECT_LT(waiter.waits(), 100U);
}

TEST_F(PipelineTest, GivesUpDrainingInLessThanFiveSeconds) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    parts.server.close_never = true;
    stop_after(1s);
    run_well();
    EXPECT_LT(took, 6s);
    EXPECT_GT(took, 5s);
    EXPECT_EQ(store.content->resume_at, Lsn{50}) << "not durable, so not stored";
    EXPECT_THAT(lines.text, HasSubstr("will be sent again"));
}

TEST_F(PipelineTest, ASecondRequestEndsAtOnce) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    stop_after(1s);
    stop_after(1200ms);
    run_well();
    EXPECT_LT(took, 1300ms);
    EXPECT_EQ(store.content->resume_at, Lsn{50});
}

TEST_F(PipelineTest, ARequestWhileConnectingEndsAtOnce) {
    parts.server.opens_until_ready = 1'000'000;
    stop_after(500ms);
    run_well();
    EXPECT_LT(took, 600ms);
}

TEST_F(PipelineTest, ARequestWhileBackingOffStillStoresWhatIsDurable) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    after(200ms, [this] {
        parts.server.read_errors.push_back(passing());
        stop_request.request();
    });
    after(300ms, [this] { parts.destination.confirms = true; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, ARequestAfterACutInsideATransactionReadsNothingMore) {
    options.flow.batch_changes = 2;
    options.flow.batch_changes_fixed = true;
    parts.server.log = {{100, 1}, {200, 3}};
    parts.destination.room = 0;
    after(200ms, [this] { parts.server.service_errors.push_back(passing()); });
    after(210ms, [this] { stop_request.request(); });
    after(300ms, [this] { parts.destination.room = 10; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
    EXPECT_LT(took, 1s);
}

TEST_F(PipelineTest, ACutWhileTheLastTransactionIsFinishedEndsTheFinishing) {
    options.flow.batch_changes = 2;
    options.flow.batch_changes_fixed = true;
    parts.server.log = {{100, 1}, {200, 3}};
    parts.destination.room = 0;
    after(200ms, [this] { stop_request.request(); });
    after(210ms, [this] { parts.server.service_errors.push_back(passing()); });
    after(300ms, [this] { parts.destination.room = 10; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
    EXPECT_THAT(lines.text, HasSubstr("could not be finished"));
}

TEST_F(PipelineTest, AServerThatGoesAwayWhileDrainingDoesNotSpoilTheEnd) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    stop_after(1s);
    after(1100ms, [this] { parts.server.service_errors.push_back(passing()); });
    after(1500ms, [this] { parts.destination.confirms = true; });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{105});
}

TEST_F(PipelineTest, ASinkThatBreaksWhileDrainingIsToldAndWhatWasDurableIsStored) {
    parts.server.log = {{100}};
    parts.destination.confirms = false;
    stop_after(1s);
    after(1100ms, [this] {
        parts.destination.durable_errors.push_back(stop(Error::Category::sink, "broken"));
    });
    run_well();
    EXPECT_EQ(store.content->resume_at, Lsn{50});
    EXPECT_THAT(lines.text, HasSubstr("not everything could be made durable"));
}

TEST_F(PipelineTest, AFullDiskWhileDrainingIsAnError) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(190ms, [this] { parts.server.arrived = 2; });
    after(200ms, [this] {
        store.save_errors.push_back(stop(Error::Category::storage, "disk full"));
        stop_request.request();
    });
    EXPECT_EQ(run_into_error().what, "disk full");
}

}  // namespace
}  // namespace pgc
