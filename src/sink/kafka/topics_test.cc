#include "sink/kafka/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/kafka_sink_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using test::kafka_table;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class KafkaTopicsTest : public testing::Test {
protected:
    void make() {
        producer_ = std::make_unique<test::FakeKafkaProducer>(kafka_);
        topics_ = std::make_unique<KafkaTopics>(KafkaTopics::Deps{.config = config_,
                                                                  .producer = *producer_,
                                                                  .clock = clock_,
                                                                  .metrics = metrics_,
                                                                  .logger = {}});
    }
    void SetUp() override { make(); }

    Record of(const RelationPtr& table) const { return {.relation = table.get()}; }
    // Asks and answers once.
    Result<void> turn() {
        topics_->ask();
        KafkaReports reports;
        producer_->collect(reports);
        for (const auto& answer : reports.answers) {
            if (auto done = topics_->answered(answer); !done) return done;
        }
        clock_.advance(KafkaTopics::kAgain);
        return {};
    }
    // The way of `record` in the end; the error it ends with.
    Result<KafkaTopics::Route*> settle(const Record& record) {
        for (int i = 0; i < 20; ++i) {
            auto route = topics_->route(record);
            if (!route || *route != nullptr) return route;
            if (auto done = turn(); !done) return std::unexpected(done.error());
        }
        return nullptr;
    }

    KafkaConfig config_;
    test::FakeKafka kafka_;
    ManualClock clock_;
    Metrics metrics_{"test"};
    std::unique_ptr<test::FakeKafkaProducer> producer_;
    std::unique_ptr<KafkaTopics> topics_;
    const RelationPtr users_ = kafka_table(0, "users");
};

TEST_F(KafkaTopicsTest, ATopicThatIsThereIsUsedAsItIs) {
    kafka_.topics["cdc.public.users"] = {.partitions = 7, .message_bytes_max = 5000};
    const auto route = settle(of(users_));
    ASSERT_TRUE(route && *route != nullptr);
    EXPECT_EQ((*route)->topic->partitions, 7);
    EXPECT_EQ((*route)->topic->message_bytes_max, 5000U);
    EXPECT_EQ(topics_->message_bytes_max(), 5000U);
    EXPECT_EQ(kafka_.creations, 0U);
    EXPECT_FALSE(topics_->busy());
}

TEST_F(KafkaTopicsTest, AMissingTopicIsCreatedAsConfigured) {
    config_.topics.partitions = 3;
    config_.topics.config = {{"cleanup.policy", "compact"}};
    make();
    const auto route = settle(of(users_));
    ASSERT_TRUE(route && *route != nullptr);
    EXPECT_EQ((*route)->topic->partitions, 3);
    EXPECT_THAT(kafka_.topics["cdc.public.users"].config,
                Contains(Pair("cleanup.policy", "compact")));
    EXPECT_EQ(metrics_.counter(Metric::kafka_topics_created_total).value(), 1U);
}

TEST_F(KafkaTopicsTest, AMissingTopicStopsWhereWeAreNotToCreateIt) {
    config_.topics.create = false;
    config_.connection.brokers = {"kafka:9092"};
    make();
    const auto route = settle(of(users_));
    ASSERT_FALSE(route);
    EXPECT_EQ(route.error().next, Error::Next::stop);
    EXPECT_EQ(route.error().where, "topic cdc.public.users");
    EXPECT_THAT(route.error().hint, HasSubstr("--bootstrap-server kafka:9092 --create --topic "
                                              "cdc.public.users"));
}

TEST_F(KafkaTopicsTest, SomebodyElseMayCreateItFirst) {
    topics_->ask();
    (void)topics_->route(of(users_));
    ASSERT_TRUE(turn());
    kafka_.topics["cdc.public.users"].partitions = 4;
    const auto route = settle(of(users_));
    ASSERT_TRUE(route && *route != nullptr);
    EXPECT_EQ((*route)->topic->partitions, 4);
}

TEST_F(KafkaTopicsTest, WhatCantBeAnsweredNowIsAskedAgain) {
    kafka_.look_up_code = KafkaCode::local_timed_out;
    EXPECT_EQ(settle(of(users_)).value(), nullptr);
    EXPECT_GT(kafka_.look_ups, 10U);
    kafka_.look_up_code = KafkaCode::none;
    kafka_.create_code = KafkaCode::request_timed_out;
    EXPECT_EQ(settle(of(users_)).value(), nullptr);
    kafka_.create_code = KafkaCode::none;
    kafka_.limits_code = KafkaCode::local_timed_out;
    EXPECT_EQ(settle(of(users_)).value(), nullptr);
    kafka_.limits_code = KafkaCode::none;
    EXPECT_NE(settle(of(users_)).value(), nullptr);
}

TEST_F(KafkaTopicsTest, NobodyAsksAllTheTime) {
    kafka_.look_up_code = KafkaCode::leader_not_available;
    (void)topics_->route(of(users_));
    ASSERT_TRUE(turn());
    const std::size_t asked = kafka_.look_ups;
    topics_->ask();
    EXPECT_EQ(kafka_.look_ups, asked + 1);
    KafkaReports reports;
    producer_->collect(reports);
    ASSERT_TRUE(topics_->answered(reports.answers.at(0)));
    topics_->ask();
    EXPECT_EQ(kafka_.look_ups, asked + 1);
    Wants wants;
    topics_->wants(wants);
    EXPECT_EQ(wants.deadline, clock_.now() + KafkaTopics::kAgain);
}

TEST_F(KafkaTopicsTest, WhatPassesOnlyWhenFixedStops) {
    kafka_.create_code = KafkaCode::policy_violation;
    const auto route = settle(of(users_));
    ASSERT_FALSE(route);
    EXPECT_EQ(route.error().next, Error::Next::stop);
    EXPECT_EQ(route.error().category, Error::Category::permission);
}

TEST_F(KafkaTopicsTest, WithoutTheRightToAskForItsLimitADefaultIsTaken) {
    kafka_.limits_code = KafkaCode::topic_refused;
    const auto route = settle(of(users_));
    ASSERT_TRUE(route && *route != nullptr);
    EXPECT_EQ((*route)->topic->message_bytes_max, KafkaTopics::kMessage_bytes_default);
}

TEST_F(KafkaTopicsTest, VersionsOfATableShareATopicAndManyAreAskedAtOnce) {
    std::vector<RelationPtr> tables;
    for (std::uint32_t i = 0; i < 1200; ++i) {
        tables.push_back(kafka_table(i, "t" + std::to_string(i % 600)));
        EXPECT_EQ(topics_->route(of(tables.back())).value(), nullptr);
    }
    topics_->ask();
    EXPECT_EQ(kafka_.look_ups, 2U);
    for (const RelationPtr& table : tables) ASSERT_NE(settle(of(table)).value(), nullptr);
    EXPECT_EQ(topics_->route(of(tables[5])).value()->topic,
              topics_->route(of(tables[605])).value()->topic);
    EXPECT_EQ(kafka_.topics.size(), 600U);
    EXPECT_EQ(kafka_.creations, 2U);
}

TEST_F(KafkaTopicsTest, TheDeadLetterTopicTakesLargeRecordsAndKeepsAll) {
    config_.topics.config = {{"cleanup.policy", "compact"}, {"retention.ms", "1"}};
    make();
    EXPECT_EQ(topics_->dead_letters().value(), nullptr);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(turn());
    ASSERT_NE(topics_->dead_letters().value(), nullptr);
    const auto& config = kafka_.topics["cdc.dead_letters"].config;
    EXPECT_THAT(config, Contains(Pair("max.message.bytes", "67108864")));
    EXPECT_THAT(config, Not(Contains(Pair("cleanup.policy", "compact"))));
    EXPECT_EQ(topics_->message_bytes_max(), std::numeric_limits<std::size_t>::max());
}

}  // namespace
}  // namespace pgc
