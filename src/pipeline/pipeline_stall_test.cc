#include "pipeline/pipeline.h"

#include "support/pipeline_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class PipelineStallTest : public PipelineTest {
protected:
    void look_after(Duration time, StatusSnapshot& shot) {
        after(time, [this, &shot] { shot = status.snapshot(); });
    }
    StatusSnapshot during;
    StatusSnapshot afterwards;
};

TEST_F(PipelineStallTest, AnIdleStreamIsIdle) {
    parts.server.log = {{100}};
    look_after(2h, during);
    stop_after(2h + 1s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::idle);
    EXPECT_GT(during.stream_for, 1h);
    EXPECT_EQ(during.waits_on, WaitsOn::nothing);
    EXPECT_THAT(lines.text, Not(HasSubstr("the stream")));
    EXPECT_EQ(status.snapshot().stream, StreamState::none) << "it has ended";
}

// Changes of other tables don't come; keepalives that move do.
TEST_F(PipelineStallTest, ABusyServerThatHasNothingForUsLeavesItIdle) {
    parts.server.log = {{100}};
    for (std::uint64_t second = 0; second < 600; ++second) {
        after(second * 1s, [this, second] { parts.server.idle = Lsn{1000 + second}; });
    }
    look_after(500s, during);
    stop_after(600s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::idle);
    EXPECT_THAT(lines.text, Not(HasSubstr("the stream")));
    EXPECT_GE(store.content->resume_at, Lsn{1500});
}

TEST_F(PipelineStallTest, ASinkThatTakesNothingMoreIsWhatBlocks) {
    parts.server.log = {{100}, {200}};
    parts.destination.confirms = false;
    parts.destination.room = 0;
    look_after(15s, during);
    after(60s, [this] {
        parts.destination.confirms = true;
        parts.destination.room = 1000;
    });
    look_after(63s, afterwards);
    stop_after(64s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::blocked);
    EXPECT_EQ(during.waits_on, WaitsOn::sink);
    EXPECT_EQ(during.waits_for, "the sink: it confirms nothing");
    EXPECT_THAT(lines.text, HasSubstr("the stream is blocked  by=sink"));
    EXPECT_EQ(afterwards.stream, StreamState::idle);
    EXPECT_EQ(afterwards.waits_on, WaitsOn::nothing);
    EXPECT_THAT(lines.text, HasSubstr("the stream moves again  was=blocked by=sink"));
    EXPECT_EQ(sent(), 2U);
}

TEST_F(PipelineStallTest, AFormatThatWaitsIsWhatBlocks) {
    parts.server.log = {{100}};
    parts.writing.waits_after = 0;
    StatusSnapshot before;
    look_after(3s, before);
    after(4s, [this] { parts.writing.waits_for = "the schema registry: away"; });
    look_after(15s, during);
    after(20s, [this] {
        parts.writing.waits_after.reset();
        parts.writing.waits_for.clear();
    });
    look_after(23s, afterwards);
    stop_after(24s);
    run_well();
    EXPECT_EQ(before.waits_for, "");
    EXPECT_EQ(during.stream, StreamState::blocked);
    EXPECT_EQ(during.waits_on, WaitsOn::format);
    EXPECT_EQ(during.waits_for, "the schema registry: away");
    EXPECT_EQ(afterwards.waits_for, "");
    EXPECT_THAT(lines.text, HasSubstr("the stream is blocked  by=format"));
    EXPECT_EQ(afterwards.stream, StreamState::idle);
    EXPECT_EQ(sent(), 1U);
}

TEST_F(PipelineStallTest, AStoreThatDoesNotAnswerIsWhatBlocks) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(5s, [this] {
        store.slow = true;
        parts.server.arrived = 2;
    });
    look_after(25s, during);
    after(30s, [this] { store.slow = false; });
    look_after(35s, afterwards);
    stop_after(36s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::blocked);
    EXPECT_EQ(during.waits_on, WaitsOn::store);
    EXPECT_THAT(during.waits_for, HasSubstr(store.where()));
    EXPECT_EQ(afterwards.stream, StreamState::idle);
}

TEST_F(PipelineStallTest, AServerThatAnswersAndSendsNothingBlocksAndIsNotGivenUp) {
    parts.server.log = {{100}};
    after(10s,
          [this] { parts.server.silence = SourceSilence{.lasted = 70s, .log_bytes = 1 << 20}; });
    look_after(20s, during);
    after(30s, [this] { parts.server.silence.reset(); });
    look_after(33s, afterwards);
    stop_after(34s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::blocked);
    EXPECT_EQ(during.waits_on, WaitsOn::source);
    EXPECT_EQ(afterwards.stream, StreamState::idle);
    EXPECT_EQ(parts.server.started_at.size(), 1U);
}

TEST_F(PipelineStallTest, ADeadWalsenderIsReportedUntilTheNextStreamMoves) {
    parts.server.log = {{100}, {200}};
    parts.server.arrived = 1;
    after(10s, [this] {
        parts.server.silence = SourceSilence{.lasted = 12s, .log_bytes = 1 << 20, .answers = false};
        parts.server.read_errors.push_back(passing("the server has not answered"));
        for (int i = 0; i < 10; ++i) parts.server.open_errors.push_back(passing("slot is active"));
    });
    look_after(12s, during);
    after(13s, [this] {
        parts.server.silence.reset();
        parts.server.arrived = 2;
    });
    look_after(60s, afterwards);
    stop_after(61s);
    run_well();
    EXPECT_EQ(during.stream, StreamState::dead);
    EXPECT_EQ(during.waits_on, WaitsOn::source);
    EXPECT_THAT(lines.text, HasSubstr("the stream is dead: the walsender does not answer"));
    EXPECT_EQ(afterwards.stream, StreamState::idle);
    EXPECT_THAT(lines.text, HasSubstr("the stream moves again  was=dead by=source"));
    EXPECT_EQ(sent(), 2U);
}

}  // namespace
}  // namespace pgc
