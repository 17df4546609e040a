#include "sink/kafka/config.h"

#include <gtest/gtest.h>

#include "sink/kafka/client.h"
#include "sink/kafka/options.h"

namespace pgc {
namespace {

TEST(KafkaConfigTest, ByDefaultNothingMayBeLost) {
    const KafkaConfig config;
    EXPECT_FALSE(config.may_lose());
    EXPECT_EQ(config.acks, KafkaAcks::all);
}

TEST(KafkaConfigTest, TheProtocolSaysWhatTheConnectionIsLike) {
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

}  // namespace
}  // namespace pgc
