#include "kafka/position_hints.h"

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

PositionHints::PositionHints(const PositionTopicConfig& config, std::string key)
    : topic_(config.name),
      key_(std::move(key)),
      brokers_(fmt::format("{}", fmt::join(config.connection.brokers, ","))),
      principal_(config.connection.security.username.empty() ? "OURS"
                                                             : config.connection.security.username),
      replication_factor_(config.replication_factor) {}

std::string PositionHints::tool(std::string_view name, std::string_view arguments) const {
    return fmt::format("{}.sh --bootstrap-server {} {}", name, brokers_, arguments);
}

std::string PositionHints::where() const {
    return fmt::format("topic {}, key {}", topic_, key_);
}

std::string PositionHints::create() const {
    return "create it: " +
           tool("kafka-topics",
                fmt::format("--create --topic {} --partitions 1{}{}", topic_,
                            replication_factor_ > 0
                                ? fmt::format(" --replication-factor {}", replication_factor_)
                                : std::string{},
                            with_config()));
}

std::string PositionHints::make_anew() const {
    return fmt::format(
        "name another topic with state.topic, or, if nothing else uses this one and the position "
        "in it may be lost, remove it ({}), and pg-capture adopt creates it again",
        tool("kafka-topics", "--delete --topic " + topic_));
}

std::string PositionHints::compact() const {
    return tool("kafka-configs",
                fmt::format("--alter --entity-type topics --entity-name {} --add-config "
                            "cleanup.policy=compact",
                            topic_));
}

std::string PositionHints::allow() const {
    return tool("kafka-acls",
                fmt::format("--add --allow-principal User:{} --operation Read --operation Write "
                            "--operation DescribeConfigs --operation Create --topic {}",
                            principal_, topic_)) +
           "; or keep the position in a file (replication.checkpoint_file)";
}

}  // namespace pgc
