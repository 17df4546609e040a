#include "sink/kafka/complaints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sink/kafka/errors.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct Told {
    rd_kafka_resp_err_t code;
    std::string_view broker;
    std::string_view text;
};
// What a certificate of a foreign authority comes with, over two brokers.
const std::vector<Told> kForeign{
    {RD_KAFKA_RESP_ERR__TRANSPORT, "kafka:1", "Disconnected"},
    {RD_KAFKA_RESP_ERR__SSL, "kafka:1", "certificate verify failed"},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "kafka:2", "Connection refused"},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, "", "timed out"},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "", "2/2 brokers are down"},
};

Instant at(Duration time) {
    return Instant{} + 1h + time;
}

std::string answer_to(const std::vector<Told>& told) {
    KafkaComplaints complaints;
    Duration passed = 0s;
    for (const Told& one : told) {
        Error error = kafka_error(one.code, "Kafka can't be reached", one.text);
        passed += 100ms;
        if (one.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            complaints.all_down(std::move(error), at(passed));
        } else {
            complaints.add(one.broker, std::move(error), at(passed));
        }
    }
    const auto worst = complaints.worst(at(passed));
    return worst ? describe(worst->error) : "";
}

TEST(KafkaComplaintsTest, TheCauseThatSaysMostIsToldInWhateverOrderTheyCome) {
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    int orders = 0;
    do {
        std::vector<Told> told;
        for (const std::size_t i : order) told.push_back(kForeign[i]);
        const std::string answer = answer_to(told);
        ASSERT_THAT(answer, HasSubstr("kafka.security.ca"));
        ASSERT_THAT(answer, HasSubstr("broker kafka:1"));
        ++orders;
    } while (std::ranges::next_permutation(order).found);
    EXPECT_EQ(orders, 120);
}

TEST(KafkaComplaintsTest, WhatNobodyKnowsMoreOfIsToldToo) {
    EXPECT_THAT(answer_to({kForeign[0], kForeign[3], kForeign[4]}), HasSubstr("kafka.brokers"));
    EXPECT_THAT(answer_to({kForeign[4], kForeign[2]}), HasSubstr("Connection refused"));
    EXPECT_THAT(answer_to({kForeign[4]}), HasSubstr("2/2"));
    EXPECT_EQ(answer_to({}), "");
}

TEST(KafkaComplaintsTest, OfTwoThatSayAsMuchTheNewerIsTold) {
    EXPECT_THAT(answer_to({kForeign[0], kForeign[2]}), HasSubstr("kafka:2"));
    EXPECT_THAT(answer_to({kForeign[2], kForeign[0]}), HasSubstr("kafka:1"));
}

TEST(KafkaComplaintsTest, WhatIsNotRepeatedIsOver) {
    KafkaComplaints complaints;
    complaints.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__SSL, "no"), at(0s));
    complaints.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no"), at(30s));
    EXPECT_THAT(describe(complaints.worst(at(30s))->error), HasSubstr("kafka.security.ca"));
    EXPECT_FALSE(complaints.worst(at(46s)));
    complaints.add("kafka:1", kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no"), at(47s));
    EXPECT_THAT(describe(complaints.worst(at(47s))->error), Not(HasSubstr("kafka.security.ca")));
    complaints.clear();
    EXPECT_FALSE(complaints.worst(at(47s)));
}

TEST(KafkaComplaintsTest, TheyAreBounded) {
    KafkaComplaints complaints;
    for (int i = 0; i < 1000; ++i) {
        complaints.add("kafka:" + std::to_string(i), kafka_error(RD_KAFKA_RESP_ERR__SSL, "no"),
                       at(0s));
    }
    EXPECT_THAT(complaints.worst(at(0s))->error.where, HasSubstr("kafka:"));
}

}  // namespace
}  // namespace pgc
