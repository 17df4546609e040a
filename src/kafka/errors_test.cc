#include "kafka/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using enum Error::Category;

Error error(rd_kafka_resp_err_t code) {
    return kafka_error(code, "it failed");
}

TEST(KafkaErrorsTest, WaitingHelpsAgainstWhatPasses) {
    for (const auto code :
         {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
          RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT,
          RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
          RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
          RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
          RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED}) {
        EXPECT_EQ(error(code).next, Error::Next::retry) << kafka_error_name(code);
    }
}

TEST(KafkaErrorsTest, OnlySomebodyCanFixTheRest) {
    const std::pair<rd_kafka_resp_err_t, Error::Category> permanent[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, permission},
        {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, permission},
        {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, permission},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, sink},
        {RD_KAFKA_RESP_ERR_INVALID_CONFIG, configuration},
        {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, configuration},
        {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, configuration},
        {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, configuration},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, configuration},
        {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, authentication},
    };
    for (const auto& [code, category] : permanent) {
        EXPECT_EQ(error(code).next, Error::Next::stop) << kafka_error_name(code);
        EXPECT_EQ(error(code).category, category) << kafka_error_name(code);
        EXPECT_THAT(error(code).hint, Not(IsEmpty())) << kafka_error_name(code);
    }
}

TEST(KafkaErrorsTest, AuthenticationIsToldFromTheRest) {
    for (const auto code : {RD_KAFKA_RESP_ERR__AUTHENTICATION,
                            RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__SSL}) {
        EXPECT_EQ(error(code).category, authentication);
        EXPECT_THAT(error(code).hint, HasSubstr("kafka.security"));
    }
}

TEST(KafkaErrorsTest, ACertificateThatIsRefusedBehindTheHandshakeIsToldAsThat) {
    for (const char* alert : {"Receive failed: SSL routines::tlsv13 alert certificate required",
                              "Receive failed: SSL routines::sslv3 alert bad certificate"}) {
        const auto refused = kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no way in", alert);
        EXPECT_EQ(refused.category, authentication);
        EXPECT_EQ(refused.next, Error::Next::retry);
        EXPECT_THAT(refused.hint, HasSubstr("kafka.security.certificate"));
    }
    const auto broken = kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no way in", "reset by peer");
    EXPECT_EQ(broken.category, Error::Category::connection);
}

TEST(KafkaErrorsTest, SayWhatHappenedInTheMostDetailedWordsThereAre) {
    EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR__RESOLVE, "a broker can't be reached").what,
              "a broker can't be reached: Local: Host resolution failure");
    EXPECT_EQ(
        kafka_error(RD_KAFKA_RESP_ERR__RESOLVE, "a broker can't be reached", "no kafka1").what,
        "a broker can't be reached: no kafka1");
    EXPECT_EQ(kafka_error_name(RD_KAFKA_RESP_ERR__RESOLVE), "_RESOLVE");
}

TEST(KafkaErrorsTest, ACodeNobodyHasHeardOfIsRetried) {
    const auto unheard = kafka_error(static_cast<rd_kafka_resp_err_t>(105), "it failed");
    EXPECT_EQ(unheard.next, Error::Next::retry);
    EXPECT_EQ(unheard.category, server);
}

// Every code the library knows has a sentence without full stop, and its hint too.
TEST(KafkaErrorsTest, AllCodesAreSpeakable) {
    const rd_kafka_err_desc* codes = nullptr;
    std::size_t count = 0;
    rd_kafka_get_err_descs(&codes, &count);
    ASSERT_GT(count, 100U);
    for (std::size_t i = 0; i < count; ++i) {
        if (codes[i].name == nullptr) continue;
        const Error made = error(codes[i].code);
        EXPECT_THAT(made.what, Not(IsEmpty()));
        EXPECT_FALSE(made.hint.ends_with('.')) << codes[i].name;
    }
}

}  // namespace
}  // namespace pgc
