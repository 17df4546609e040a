#include "postgres/stream/feedback.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr Instant at(Duration since) {
    return Instant{1000s} + since;
}
constexpr WallTime kWall{7};

TEST(FeedbackTest, TellsTheFirstThingAtOnce) {
    const Feedback feedback{10s};
    EXPECT_TRUE(feedback.due(at(0s)));
}

TEST(FeedbackTest, SaysNothingAgainBeforeTheInterval) {
    Feedback feedback{10s};
    (void)feedback.take(at(0s), kWall);
    EXPECT_FALSE(feedback.due(at(9s)));
    EXPECT_TRUE(feedback.due(at(10s)));
    EXPECT_EQ(feedback.due_at(), at(10s));
}

TEST(FeedbackTest, AnswersAQuestionAtOnceAndOnlyOnce) {
    Feedback feedback{10s};
    (void)feedback.take(at(0s), kWall);
    feedback.asked();
    EXPECT_TRUE(feedback.due(at(1s)));
    (void)feedback.take(at(1s), kWall);
    EXPECT_FALSE(feedback.due(at(2s)));
}

TEST(FeedbackTest, TellsReceivedAsWrittenAndConfirmedAsFlushedAndApplied) {
    Feedback feedback{10s};
    feedback.received(Lsn{700});
    feedback.confirm(Lsn{500}, false);
    const auto message = feedback.take(at(0s), kWall);
    EXPECT_EQ(message.write, Lsn{700});
    EXPECT_EQ(message.flush, Lsn{500});
    EXPECT_EQ(message.apply, Lsn{500});
    EXPECT_EQ(message.sent_at, kWall);
    EXPECT_FALSE(message.reply_requested);
}

TEST(FeedbackTest, ConfirmsNothingUntilToldTo) {
    Feedback feedback{10s};
    feedback.received(Lsn{700});
    EXPECT_EQ(feedback.take(at(0s), kWall).flush, Lsn{});
}

TEST(FeedbackTest, NeverConfirmsBackwards) {
    Feedback feedback{10s};
    feedback.confirm(Lsn{500}, false);
    feedback.confirm(Lsn{400}, false);
    EXPECT_EQ(feedback.flushed(), Lsn{500});
}

TEST(FeedbackTest, NeverClaimsToHaveWrittenLessThanItFlushed) {
    Feedback feedback{10s};
    feedback.confirm(Lsn{500}, false);
    EXPECT_EQ(feedback.take(at(0s), kWall).write, Lsn{500});
}

TEST(FeedbackTest, NeverTakesBackWhatItReceived) {
    Feedback feedback{10s};
    feedback.received(Lsn{700});
    feedback.received(Lsn{600});
    EXPECT_EQ(feedback.written(), Lsn{700});
}

TEST(FeedbackTest, HurriesOnlyWhenAsked) {
    Feedback feedback{10s};
    (void)feedback.take(at(0s), kWall);
    feedback.confirm(Lsn{500}, false);
    EXPECT_FALSE(feedback.due(at(1s)));
    feedback.confirm(Lsn{500}, true);
    EXPECT_TRUE(feedback.due(at(1s)));
}

TEST(FeedbackTest, KeepsWithinAThirdOfTheServersPatience) {
    Feedback feedback{10s};
    feedback.server_patience(6s);
    EXPECT_EQ(feedback.interval(), 2s);
    feedback.server_patience(0s);
    EXPECT_EQ(feedback.interval(), 2s);
}

TEST(FeedbackTest, APatientServerDoesNotStretchTheInterval) {
    Feedback feedback{10s};
    feedback.server_patience(60s);
    EXPECT_EQ(feedback.interval(), 10s);
}

TEST(FeedbackTest, SurvivesAServerWithoutAnyPatience) {
    Feedback feedback{10s};
    feedback.server_patience(1ms);
    EXPECT_EQ(feedback.interval(), 100ms);
}

TEST(FeedbackTest, AProbeGoesAtOnceAndAsksForAReply) {
    Feedback feedback{10s};
    (void)feedback.take(at(0s), kWall);
    feedback.probe();
    ASSERT_TRUE(feedback.due(at(1s)));
    EXPECT_TRUE(feedback.take(at(1s), kWall).reply_requested);
    EXPECT_FALSE(feedback.take(at(2s), kWall).reply_requested);
}

TEST(LivenessTest, ShortSilenceIsFine) {
    Liveness liveness;
    liveness.heard(at(0s));
    EXPECT_EQ(liveness.silence(at(4s)), Liveness::Verdict::fine);
    EXPECT_EQ(liveness.next(), at(5s));
}

TEST(LivenessTest, LongSilenceIsProbedOnceAndThenDeadly) {
    Liveness liveness;
    liveness.heard(at(0s));
    EXPECT_EQ(liveness.silence(at(5s)), Liveness::Verdict::probe);
    EXPECT_EQ(liveness.silence(at(6s)), Liveness::Verdict::fine);
    EXPECT_EQ(liveness.next(), at(15s));
    EXPECT_EQ(liveness.silence(at(15s)), Liveness::Verdict::dead);
}

// A server looks at what it is asked every half of its timeout at the latest.
TEST(LivenessTest, TheGraceIsLongerThanTheServerMayTake) {
    EXPECT_EQ(Liveness{}.grace(), 10s);
    EXPECT_EQ(Liveness{1s}.grace(), 10s);
    EXPECT_EQ(Liveness{20s}.grace(), 12s);
    EXPECT_EQ(Liveness{60s}.grace(), 32s);
}

TEST(LivenessTest, AnAnswerEndsTheDoubt) {
    Liveness liveness;
    liveness.heard(at(0s));
    (void)liveness.silence(at(5s));
    liveness.heard(at(6s));
    EXPECT_EQ(liveness.silence(at(10s)), Liveness::Verdict::fine);
    EXPECT_EQ(liveness.silence(at(11s)), Liveness::Verdict::probe);
}

TEST(LivenessTest, APauseOfOurOwnIsNotDeadly) {
    Liveness liveness;
    liveness.heard(at(0s));
    // Nobody read for ten minutes: the first empty drain only leads to a question.
    EXPECT_EQ(liveness.silence(at(600s)), Liveness::Verdict::probe);
}

}  // namespace
}  // namespace pgc
