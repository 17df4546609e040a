#include "sink/kafka/position_mends.h"

#include <fmt/format.h>

#include <utility>

namespace pgc {
namespace {

std::string with_config() {
    std::string text;
    for (const auto& [name, value] : kPositionTopicConfig) {
        text += fmt::format(" --config {}={}", name, value);
    }
    return text;
}

}  // namespace

PositionMends::PositionMends(const KafkaConfig& config, std::string key)
    : topic_(config.state_topic),
      key_(std::move(key)),
      brokers_(fmt::format("{}", fmt::join(config.brokers, ","))),
      principal_(config.security.username.empty() ? "OURS" : config.security.username),
      replication_factor_(config.topics.replication_factor) {}

std::string PositionMends::tool(std::string_view name, std::string_view arguments) const {
    return fmt::format("{}.sh --bootstrap-server {} {}", name, brokers_, arguments);
}

std::string PositionMends::where() const {
    return fmt::format("topic {}, key {}", topic_, key_);
}

std::string PositionMends::create() const {
    return "create it: " +
           tool("kafka-topics",
                fmt::format("--create --topic {} --partitions 1{}{}", topic_,
                            replication_factor_ > 0
                                ? fmt::format(" --replication-factor {}", replication_factor_)
                                : std::string{},
                            with_config()));
}

std::string PositionMends::make_anew() const {
    return fmt::format(
        "name another topic with state.topic, or, if nothing else uses this one and the position "
        "in it may be lost, remove it ({}), and pg-capture adopt makes it anew",
        tool("kafka-topics", "--delete --topic " + topic_));
}

std::string PositionMends::compact() const {
    return tool("kafka-configs",
                fmt::format("--alter --entity-type topics --entity-name {} --add-config "
                            "cleanup.policy=compact",
                            topic_));
}

std::string PositionMends::allow() const {
    return tool("kafka-acls",
                fmt::format("--add --allow-principal User:{} --operation Read --operation Write "
                            "--operation DescribeConfigs --operation Create --topic {}",
                            principal_, topic_)) +
           "; or keep the position in a file (replication.checkpoint_file)";
}

}  // namespace pgc
