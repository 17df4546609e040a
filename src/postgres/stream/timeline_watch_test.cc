#include "postgres/stream/timeline_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_stream.h"
#include "support/healthy_server.h"
#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;

class TimelineWatchTest : public ::testing::Test {
protected:
    TimelineWatchTest() {
        known.timeline = 3;
        known.slot = "shop";
        stands("t", "0/500");
        is_on(3);
    }
    void stands(std::string in_recovery, std::optional<std::string> replayed) {
        server.answers("pg-capture: replayed */",
                       fake_row({{"in_recovery", in_recovery}, {"replayed", replayed}}));
    }
    void is_on(int timeline) {
        server.answers("IDENTIFY_SYSTEM", fake_system(std::to_string(timeline)));
    }
    TimelineWatch& watch() {
        if (!watch_) {
            watch_.emplace(links, log.logger("postgres"), known);
            watch_->stream_begins(Lsn{0x200});
        }
        return *watch_;
    }
    Result<void> step() { return watch().step(clock.now()); }
    // Lets time pass as far as is waited for.
    Result<void> next() {
        Wants wants;
        watch().wants(wants);
        EXPECT_GT(wants.deadline, clock.now()) << "waits for nothing";
        clock.advance(wants.deadline - clock.now());
        return step();
    }

    SourceIdentity known;
    ManualClock clock;
    FakeServer server;
    FakeStream stream;
    FakeStreamLinks links{server, stream};
    LogText lines;
    Log log{{}, lines, clock};
    std::optional<TimelineWatch> watch_;
};

TEST_F(TimelineWatchTest, OnlyWhatWeStartedFromIsCertainBeforeTheFirstAnswer) {
    EXPECT_EQ(watch().certain_until(), Lsn{0x200});
    server.stays_silent_on("IDENTIFY_SYSTEM");
    ASSERT_TRUE(step());
    EXPECT_EQ(server.count("IDENTIFY_SYSTEM"), 1);
    EXPECT_EQ(watch().certain_until(), Lsn{0x200}) << "the timeline may have changed";
}

TEST_F(TimelineWatchTest, WhatWasReplayedBeforeTheTimelineWasAskedForIsCertain) {
    ASSERT_TRUE(step());
    EXPECT_EQ(watch().certain_until(), Lsn{0x500});
    EXPECT_LT(server.place("pg-capture: replayed"), server.place("IDENTIFY_SYSTEM"));
    stands("t", "0/600");
    ASSERT_TRUE(step());
    EXPECT_EQ(watch().certain_until(), Lsn{0x500}) << "not asked all the time";
    ASSERT_TRUE(next());
    EXPECT_EQ(watch().certain_until(), Lsn{0x600});
    stands("t", "0/300");
    ASSERT_TRUE(next());
    EXPECT_EQ(watch().certain_until(), Lsn{0x600}) << "never moves back";
    EXPECT_EQ(links.made, 1);
}

TEST_F(TimelineWatchTest, AnotherTimelineEndsTheAttemptAndMakesNothingCertain) {
    ASSERT_TRUE(step());
    for (const std::string in_recovery : {"t", "f"}) {  // its upstream's promotion, or its own
        stands(in_recovery, "0/800");
        is_on(4);
        const auto reported = next();
        ASSERT_FALSE(reported);
        EXPECT_EQ(reported.error().next, Error::Next::retry);
        EXPECT_THAT(reported.error().what, HasSubstr("from timeline 3 to 4"));
        EXPECT_EQ(watch().certain_until(), Lsn{0x500});
    }
}

TEST_F(TimelineWatchTest, PromotedBeforeWeConnectedItStaysOnItsTimelineForGood) {
    stands("f", "0/400");
    ASSERT_TRUE(step());
    EXPECT_EQ(watch().certain_until(), std::nullopt);
    Wants wants;
    watch().wants(wants);
    EXPECT_EQ(wants.deadline, kNever);
}

TEST_F(TimelineWatchTest, AServerWhereNobodyReadsFromOurSlotIsAnother) {
    server.answers_once("pg-capture: replayed */", fake_rows({"in_recovery", "replayed"}, {}));
    ASSERT_TRUE(step());
    EXPECT_EQ(server.count("IDENTIFY_SYSTEM"), 0);
    EXPECT_EQ(watch().certain_until(), Lsn{0x200});
    EXPECT_THAT(lines.text, HasSubstr("is not the one we read from"));
    ASSERT_TRUE(next());
    EXPECT_EQ(links.made, 2);
    EXPECT_EQ(watch().certain_until(), Lsn{0x500});
}

TEST_F(TimelineWatchTest, AnAnswerThatFailsMakesNothingCertainAndIsAskedForAgain) {
    server.answers_once("IDENTIFY_SYSTEM", Rows{});
    ASSERT_TRUE(step());
    EXPECT_EQ(watch().certain_until(), Lsn{0x200});
    EXPECT_THAT(lines.text, HasSubstr("is not known"));
    ASSERT_TRUE(next());
    EXPECT_EQ(watch().certain_until(), Lsn{0x500});
    EXPECT_EQ(server.count("pg-capture: replayed"), 2) << "both questions, over one connection";
}

TEST_F(TimelineWatchTest, AStandbyThatHasReplayedNothingSinceItsStartMovesNothing) {
    stands("t", std::nullopt);
    ASSERT_TRUE(step());
    EXPECT_EQ(watch().certain_until(), Lsn{0x200});
}

}  // namespace
}  // namespace pgc
