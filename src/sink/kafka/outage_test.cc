#include "sink/kafka/outage.h"

#include <gtest/gtest.h>

#include "kafka/errors.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

class KafkaOutageTest : public testing::Test {
protected:
    void look(bool waiting, bool progressed = false) {
        outage_.look({.now = clock_.now(), .waiting = waiting, .progressed = progressed}, {});
    }
    double gauge() { return metrics_.gauge(Metric::kafka_waiting).value(); }

    ManualClock clock_;
    Metrics metrics_{"test"};
    KafkaOutage outage_{{}, metrics_};
};

TEST_F(KafkaOutageTest, WhereNothingIsOwedThereIsNoOutage) {
    look(false);
    clock_.advance(10s);
    look(false);
    EXPECT_FALSE(outage_.is_long());
    EXPECT_EQ(outage_.next(), kNever);
}

TEST_F(KafkaOutageTest, ItIsOneAfterASecondWithoutAnyConfirmation) {
    look(true);
    EXPECT_EQ(outage_.next(), clock_.now() + 1s);
    clock_.advance(999ms);
    look(true);
    EXPECT_FALSE(outage_.is_long());
    clock_.advance(1ms);
    look(true);
    EXPECT_TRUE(outage_.is_long());
    EXPECT_EQ(gauge(), 1);
    EXPECT_EQ(outage_.next(), clock_.now() + 30s);
}

TEST_F(KafkaOutageTest, EachConfirmationBeginsTheSecondAnew) {
    look(true);
    for (int i = 0; i < 10; ++i) {
        clock_.advance(900ms);
        look(true, true);
    }
    EXPECT_FALSE(outage_.is_long());
}

TEST_F(KafkaOutageTest, WhoKnowsMoreOfTheCauseSaysSoAtOnce) {
    const auto look_at = [this](rd_kafka_resp_err_t code) {
        outage_.look({.now = clock_.now(), .waiting = true}, kafka_error(code, "no way"));
    };
    look_at(RD_KAFKA_RESP_ERR__TRANSPORT);
    clock_.advance(1s);
    look_at(RD_KAFKA_RESP_ERR__TRANSPORT);
    EXPECT_TRUE(outage_.because().contains("kafka.brokers")) << outage_.because();
    clock_.advance(1ms);
    look_at(RD_KAFKA_RESP_ERR__SSL);
    EXPECT_TRUE(outage_.because().contains("kafka.security.ca")) << outage_.because();
    clock_.advance(1ms);
    look_at(RD_KAFKA_RESP_ERR__TRANSPORT);
    EXPECT_TRUE(outage_.because().contains("kafka.security.ca")) << outage_.because();
}

TEST_F(KafkaOutageTest, ItIsOverWithTheFirstConfirmation) {
    look(true);
    clock_.advance(5s);
    look(true);
    look(true, true);
    EXPECT_FALSE(outage_.is_long());
    EXPECT_EQ(gauge(), 0);
}

}  // namespace
}  // namespace pgc
