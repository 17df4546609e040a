// What a person types to fix the topic of positions: commands of Kafka's own tools.
#pragma once

#include <string>
#include <string_view>

#include "kafka/position_config.h"

namespace pgc {

// How the topic is made, by us as by hand. Small segments: only whole ones are compacted, and
// what is not compacted yet is read at each start. Kafka 4 takes nothing below 1 MiB.
inline constexpr std::string_view kPositionTopicConfig[][2] = {
    {"cleanup.policy", "compact"}, {"retention.ms", "-1"}, {"segment.bytes", "1048576"}};

class PositionHints {
public:
    PositionHints(const PositionTopicConfig& config, std::string key);

    // "topic pg-capture.positions, key shop"
    std::string where() const;
    // Each is one clause without a full stop: "create it: kafka-topics.sh …".
    std::string create() const;     // for somebody who may what we may not
    std::string make_anew() const;  // with one partition
    std::string compact() const;
    std::string allow() const;

private:
    std::string tool(std::string_view name, std::string_view arguments) const;

    const std::string topic_;
    const std::string key_;
    const std::string brokers_;
    const std::string principal_;
    const int replication_factor_;
};

}  // namespace pgc
