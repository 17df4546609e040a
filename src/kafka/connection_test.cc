#include "kafka/connection.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(KafkaConnectionTest, TheProtocolSaysWhatTheConnectionIsLike) {
    KafkaSecurity security;
    EXPECT_FALSE(security.encrypted());
    EXPECT_FALSE(security.sasl());
    security.protocol = "SASL_PLAINTEXT";
    EXPECT_FALSE(security.encrypted());
    EXPECT_TRUE(security.sasl());
    security.protocol = "SASL_SSL";
    EXPECT_TRUE(security.encrypted());
    EXPECT_TRUE(security.sasl());
    security.protocol = "SSL";
    EXPECT_TRUE(security.encrypted());
    EXPECT_FALSE(security.sasl());
}

TEST(KafkaConnectionTest, ANameThatBeginsLikeLoopbackIsAnotherMachine) {
    KafkaConnection config;
    config.brokers = {"127.0.0.1:9092", "[::1]:9092", "localhost:1"};
    EXPECT_FALSE(config.plain_text_to_others());
    config.brokers = {"127.evil.com:9092"};
    EXPECT_TRUE(config.plain_text_to_others());
}

TEST(KafkaConnectionTest, AnOAuthSecretInPlainTextIsKnown) {
    KafkaConnection config;
    config.security.protocol = "SASL_SSL";
    config.security.oauth.token_url = "http://idp.example.com/token";
    EXPECT_FALSE(config.secret_in_plain_text()) << "without OAuth there is none";
    config.security.mechanism = "OAUTHBEARER";
    EXPECT_TRUE(config.secret_in_plain_text());
    for (const auto* url : {"http://127.evil.com/token", "http://10.0.0.1", "http://[fd00::1]/t",
                            "http://idp#127.0.0.1"}) {
        config.security.oauth.token_url = url;
        EXPECT_TRUE(config.secret_in_plain_text()) << url;
    }
    for (const auto* url : {"https://idp.example.com/token", "http://127.0.0.1:8080/token",
                            "http://localhost/token", "http://[::1]:1/token"}) {
        config.security.oauth.token_url = url;
        EXPECT_FALSE(config.secret_in_plain_text()) << url;
    }
}

}  // namespace
}  // namespace pgc
