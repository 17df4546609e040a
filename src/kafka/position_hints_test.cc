#include "kafka/position_hints.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(PositionHintsTest, TellHowTheTopicIsMadeBySomebodyWhoMay) {
    PositionTopicConfig config{.name = "pg-capture.positions"};
    config.connection.brokers = {"k1:9092", "k2:9092"};
    EXPECT_EQ(PositionHints(config, "shop").create(),
              "create it: kafka-topics.sh --bootstrap-server k1:9092,k2:9092 --create --topic "
              "pg-capture.positions --partitions 1 --config cleanup.policy=compact --config "
              "retention.ms=-1 --config segment.bytes=1048576");
}

}  // namespace
}  // namespace pgc
