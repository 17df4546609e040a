#include "sink/kafka/position_topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "core/position_text.h"
#include "support/fake_position_log.h"
#include "support/log_text.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const StoredPosition kPosition{.pipeline = "shop",
                               .system = "7340123456789012345",
                               .timeline = 4,
                               .database = "shop",
                               .slot = "pg_slot",
                               .resume_at = Lsn{0x16'B374D848}};

PositionTopicConfig config() {
    PositionTopicConfig config;
    config.name = "pg-capture.positions";
    config.connection.brokers = {"k1:9092", "k2:9092"};
    return config;
}

class KafkaPositionTopicTest : public testing::Test {
protected:
    SimulatedClock clock;
    fake::PositionRecords topic;
    LogText lines;
    Log log{{}, lines, clock};
    KafkaPositionTopic store = made("shop");

    KafkaPositionTopic made(const std::string& pipeline) {
        return {std::make_unique<fake::FakePositionLog>(topic, pipeline), config(), pipeline, clock,
                log.logger("kafka")};
    }
    static Error passing(std::string what = "the broker is away") {
        return retry(Error::Category::connection, std::move(what));
    }
    std::optional<PositionStore::Loaded> loaded(KafkaPositionTopic& from) {
        auto answer = from.load();
        EXPECT_TRUE(answer) << describe(answer.error());
        return answer ? std::move(*answer) : std::nullopt;
    }
    Error load_error() {
        auto answer = store.load();
        EXPECT_FALSE(answer);
        return answer ? Error{} : answer.error();
    }
    bool saved() {
        const auto answer = store.saved();
        EXPECT_TRUE(answer) << describe(answer.error());
        return answer && *answer;
    }
    Instant wakes_at() const {
        Wants wants;
        store.wants(wants);
        return wants.deadline;
    }
};

TEST_F(KafkaPositionTopicTest, HasNothingBeforeTheFirstSave) {
    const auto found = loaded(store);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->position);
    EXPECT_FALSE(found->store_is_missing);
}

TEST_F(KafkaPositionTopicTest, GivesBackWhatWasSaved) {
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_TRUE(saved());
    EXPECT_EQ(loaded(store)->position, kPosition);
    KafkaPositionTopic next = made("shop");
    EXPECT_EQ(loaded(next)->position, kPosition);
}

TEST_F(KafkaPositionTopicTest, PipelinesShareATopicWithoutSeeingEachOther) {
    KafkaPositionTopic bank = made("bank");
    StoredPosition theirs = kPosition;
    theirs.pipeline = "bank";
    theirs.resume_at = Lsn{1};
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_TRUE(saved());
    EXPECT_FALSE(loaded(bank)->position);
    ASSERT_TRUE(bank.save(theirs));
    EXPECT_TRUE(*bank.saved());
    EXPECT_EQ(loaded(store)->position, kPosition);
    EXPECT_EQ(loaded(bank)->position, theirs);
}

TEST_F(KafkaPositionTopicTest, IsNotSafeBeforeItIsAcknowledged) {
    topic.silent = true;
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_FALSE(saved());
    EXPECT_FALSE(saved());
    topic.silent = false;
    EXPECT_TRUE(saved());
    EXPECT_TRUE(saved()) << "and stays so";
    EXPECT_EQ(topic.appends, 1);
}

TEST_F(KafkaPositionTopicTest, ALoadWaitsForTheSaveThatIsUnderWay) {
    topic.silent = true;
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_FALSE(loaded(store));
    EXPECT_EQ(topic.reads, 0);
    topic.silent = false;
    EXPECT_EQ(loaded(store)->position, kPosition);
    EXPECT_TRUE(saved());
}

TEST_F(KafkaPositionTopicTest, EachLoadReadsAnew) {
    loaded(store);
    KafkaPositionTopic other = made("shop");
    ASSERT_TRUE(other.save(kPosition));
    EXPECT_TRUE(*other.saved());
    EXPECT_EQ(loaded(store)->position, kPosition) << "another instance has had the slot";
}

TEST_F(KafkaPositionTopicTest, AnEmptyValueCountsAsNone) {
    topic.last["shop"] = "";
    const auto found = loaded(store);
    EXPECT_FALSE(found->position);
    EXPECT_FALSE(found->store_is_missing);
}

TEST_F(KafkaPositionTopicTest, AMissingTopicIsToldAndCreatedWhenAsked) {
    topic.exists = false;
    EXPECT_TRUE(loaded(store)->store_is_missing);
    EXPECT_FALSE(topic.exists) << "not in passing";
    store.create();
    const auto found = loaded(store);
    EXPECT_TRUE(topic.exists);
    EXPECT_FALSE(found->store_is_missing);
    EXPECT_FALSE(found->position);
}

TEST_F(KafkaPositionTopicTest, WhatCannotBeReadYetIsTriedAgainAfterAPause) {
    topic.read_errors = {passing(), passing()};
    EXPECT_FALSE(loaded(store));
    EXPECT_EQ(wakes_at(), clock.now() + KafkaPositionTopic::kPause);
    EXPECT_FALSE(loaded(store));
    EXPECT_EQ(topic.reads, 1) << "not before the pause is over";
    clock.advance(KafkaPositionTopic::kPause);
    EXPECT_FALSE(loaded(store));
    clock.advance(KafkaPositionTopic::kPause);
    EXPECT_TRUE(loaded(store));
    EXPECT_EQ(topic.reads, 3);
    EXPECT_EQ(wakes_at(), kNever) << "with nothing under way nothing is waited for";
}

TEST_F(KafkaPositionTopicTest, AnOutageIsToldAtOnceThenEveryHalfMinuteAndWhenItIsOver) {
    for (int i = 0; i < 200; ++i) topic.read_errors.push_back(passing());
    for (int i = 0; i < 200; ++i) {
        EXPECT_FALSE(loaded(store));
        clock.advance(KafkaPositionTopic::kPause);
    }
    EXPECT_THAT(lines.text, HasSubstr("the broker is away"));
    EXPECT_EQ(std::ranges::count(lines.text, '\n'), 2) << lines.text << "(60 s)";
    EXPECT_TRUE(loaded(store));
    EXPECT_THAT(lines.text, HasSubstr("the topic of positions answers again"));
}

TEST_F(KafkaPositionTopicTest, WhoKnowsMoreOfTheCauseSaysSoAtOnce) {
    topic.read_errors = {
        retry(Error::Category::connection, "nobody answers").with_hint("check kafka.brokers"),
        retry(Error::Category::authentication, "not believed").with_hint("check kafka.security.ca"),
        retry(Error::Category::connection, "nobody answers").with_hint("check kafka.brokers")};
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(loaded(store));
        clock.advance(KafkaPositionTopic::kPause);
    }
    EXPECT_THAT(lines.text, HasSubstr("check kafka.security.ca"));
    EXPECT_EQ(std::ranges::count(lines.text, '\n'), 2) << lines.text;
}

TEST_F(KafkaPositionTopicTest, SilenceIsToldAfterAWhile) {
    topic.silent = true;
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_FALSE(saved());
    EXPECT_EQ(lines.text, "");
    EXPECT_EQ(wakes_at(), clock.now() + KafkaPositionTopic::kPatience);
    clock.advance(KafkaPositionTopic::kPatience);
    EXPECT_FALSE(saved());
    EXPECT_THAT(lines.text, HasSubstr("the position can't be stored yet"));
    EXPECT_EQ(wakes_at(), clock.now() + KafkaPositionTopic::kReport_every);
}

TEST_F(KafkaPositionTopicTest, TheReasonBehindASilenceIsToldAtOnce) {
    topic.silent = true;
    EXPECT_FALSE(loaded(store));
    clock.advance(KafkaPositionTopic::kPatience);
    EXPECT_FALSE(loaded(store));
    EXPECT_THAT(lines.text, Not(HasSubstr("the broker is away")));
    topic.silent = false;
    topic.read_errors = {passing()};
    EXPECT_FALSE(loaded(store));
    EXPECT_THAT(lines.text, HasSubstr("the broker is away"));
}

TEST_F(KafkaPositionTopicTest, AnAppendOfUnknownFateIsRepeated) {
    topic.append_errors = {passing()};
    ASSERT_TRUE(store.save(kPosition));
    EXPECT_FALSE(saved());
    EXPECT_FALSE(topic.last.contains("shop"));
    clock.advance(KafkaPositionTopic::kPause);
    EXPECT_TRUE(saved());
    EXPECT_EQ(topic.appends, 2);
    EXPECT_EQ(loaded(store)->position, kPosition);
}

TEST_F(KafkaPositionTopicTest, ARefusedAppendIsNeverCalledSafe) {
    topic.append_errors = {stop(Error::Category::permission, "not allowed")};
    ASSERT_TRUE(store.save(kPosition));
    const auto answer = store.saved();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().where, "topic pg-capture.positions, key shop");
    EXPECT_FALSE(store.saved()) << "nor later";
    EXPECT_FALSE(store.save(kPosition));
}

TEST_F(KafkaPositionTopicTest, WaitsForTheLogWhileSomethingIsUnderWay) {
    topic.silent = true;
    EXPECT_FALSE(loaded(store));
    Wants wants;
    store.wants(wants);
    ASSERT_EQ(wants.interests.size(), 1U);
    EXPECT_EQ(wants.interests[0].fd, fake::FakePositionLog::kFd);
}

TEST_F(KafkaPositionTopicTest, SaysWhatIsWrongAndHowToGoOn) {
    topic.last["shop"] = "hello\n";
    Error error = load_error();
    EXPECT_EQ(error.category, Error::Category::position);
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_THAT(error.what, HasSubstr("not a position of pg-capture"));
    EXPECT_THAT(error.what, Not(HasSubstr("hello")));
    EXPECT_EQ(error.where, "topic pg-capture.positions, key shop");
    EXPECT_THAT(error.hint, HasSubstr("pg-capture position reset --yes"));

    topic.last["shop"] = "pg-capture position 2\nx=1\n";
    EXPECT_THAT(load_error().what, HasSubstr("another version"));
    topic.last["shop"] = write_position(kPosition).substr(0, 60);
    EXPECT_THAT(load_error().what, HasSubstr("cut short"));
    StoredPosition theirs = kPosition;
    theirs.pipeline = "bank";
    topic.last["shop"] = write_position(theirs);
    EXPECT_THAT(load_error().what, HasSubstr("pipeline bank, not to shop"));
}

TEST_F(KafkaPositionTopicTest, AnEmptyRecordIsAsGoodAsNone) {
    topic.last["shop"] = "spoilt";
    ASSERT_TRUE(store.forget());
    EXPECT_TRUE(saved());
    EXPECT_EQ(topic.last["shop"], "");
    const auto after = loaded(store);
    ASSERT_TRUE(after);
    EXPECT_FALSE(after->position);
}

}  // namespace
}  // namespace pgc
