#include "kafka/broker_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kafka/errors.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct Reported {
    rd_kafka_resp_err_t code;
    std::string_view broker;
    std::string_view text;
};
// What a certificate of a foreign authority comes with, over two brokers.
const std::vector<Reported> kForeign{
    {RD_KAFKA_RESP_ERR__TRANSPORT, "kafka:1", "Disconnected"},
    {RD_KAFKA_RESP_ERR__SSL, "kafka:1", "certificate verify failed"},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "kafka:2", "Connection refused"},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, "", "timed out"},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "", "2/2 brokers are down"},
};

Instant at(Duration time) {
    return Instant{} + 1h + time;
}

std::string answer_to(const std::vector<Reported>& reported) {
    KafkaBrokerErrors errors;
    Duration passed = 0s;
    for (const Reported& one : reported) {
        Error error = kafka_error(one.code, "Kafka can't be reached", one.text);
        passed += 100ms;
        if (one.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            errors.all_down(std::move(error), at(passed));
        } else {
            errors.add(one.broker, std::move(error), at(passed));
        }
    }
    const auto worst = errors.worst(at(passed));
    return worst ? describe(worst->error) : "";
}

TEST(KafkaBrokerErrorsTest, TheCauseThatSaysMostIsToldInWhateverOrderTheyCome) {
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    int orders = 0;
    do {
        std::vector<Reported> reported;
        for (const std::size_t i : order) reported.push_back(kForeign[i]);
        const std::string answer = answer_to(reported);
        ASSERT_THAT(answer, HasSubstr("kafka.security.ca"));
        ASSERT_THAT(answer, HasSubstr("broker kafka:1"));
        ++orders;
    } while (std::ranges::next_permutation(order).found);
    EXPECT_EQ(orders, 120);
}

TEST(KafkaBrokerErrorsTest, WhatNobodyKnowsMoreOfIsToldToo) {
    EXPECT_THAT(answer_to({kForeign[0], kForeign[3], kForeign[4]}), HasSubstr("kafka.brokers"));
    EXPECT_THAT(answer_to({kForeign[4], kForeign[2]}), HasSubstr("Connection refused"));
    EXPECT_THAT(answer_to({kForeign[4]}), HasSubstr("2/2"));
    EXPECT_EQ(answer_to({}), "");
}

TEST(KafkaBrokerErrorsTest, OfTwoThatSayAsMuchTheNewerIsTold) {
    EXPECT_THAT(answer_to({kForeign[0], kForeign[2]}), HasSubstr("kafka:2"));
    EXPECT_THAT(answer_to({kForeign[2], kForeign[0]}), HasSubstr("kafka:1"));
}

TEST(KafkaBrokerErrorsTest, WhatIsNotRepeatedIsOver) {
    KafkaBrokerErrors errors;
    errors.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__SSL, "no"), at(0s));
    errors.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no"), at(30s));
    EXPECT_THAT(describe(errors.worst(at(30s))->error), HasSubstr("kafka.security.ca"));
    EXPECT_FALSE(errors.worst(at(46s)));
    errors.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no"), at(47s));
    EXPECT_THAT(describe(errors.worst(at(47s))->error), Not(HasSubstr("kafka.security.ca")));
    errors.clear();
    EXPECT_FALSE(errors.worst(at(47s)));
}

TEST(KafkaBrokerErrorsTest, TheyAreBounded) {
    KafkaBrokerErrors errors;
    for (int i = 0; i < 1000; ++i) {
        errors.add("kafka:" + std::to_string(i), kafka_error(RD_KAFKA_RESP_ERR__SSL, "no"), at(0s));
    }
    EXPECT_THAT(errors.worst(at(0s))->error.where, HasSubstr("kafka:"));
}

}  // namespace
}  // namespace pgc
