#include "sink/kafka/check_hints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pgc {

KafkaCheckHints::KafkaCheckHints(const KafkaConfig& config)
    : brokers_(fmt::format("{}", fmt::join(config.connection.brokers, ","))),
      principal_(config.connection.security.username.empty()
                     ? "OURS"
                     : config.connection.security.username) {}

std::string KafkaCheckHints::tool(std::string_view name, std::string_view arguments) const {
    return fmt::format("{}.sh --bootstrap-server {} {}", name, brokers_, arguments);
}

std::string KafkaCheckHints::create(const KafkaNewTopic& topic) const {
    std::string arguments =
        fmt::format("--create --topic {} --partitions {}", topic.name, topic.partitions);
    if (topic.replication_factor > 0) {
        arguments += fmt::format(" --replication-factor {}", topic.replication_factor);
    }
    for (const auto& [name, value] : topic.config) {
        arguments += fmt::format(" --config {}={}", name, value);
    }
    return tool("kafka-topics", arguments);
}

std::string KafkaCheckHints::alter(std::string_view topic, std::string_view setting) const {
    return tool("kafka-configs",
                fmt::format("--alter --entity-type topics --entity-name {} --add-config {}", topic,
                            setting));
}

std::string KafkaCheckHints::acl(std::string_view topic, std::string_view operations) const {
    return tool("kafka-acls", fmt::format("--add --allow-principal User:{}{} --topic {}",
                                          principal_, operations, topic));
}

std::string KafkaCheckHints::allow_transactions(std::string_view id) const {
    return tool(
        "kafka-acls",
        fmt::format("--add --allow-principal User:{} --operation Describe --operation Write "
                    "--transactional-id {}",
                    principal_, id));
}

std::string KafkaCheckHints::allow(std::string_view topic) const {
    return acl(topic, " --operation Describe --operation DescribeConfigs --operation Write");
}

std::string KafkaCheckHints::allow_create(std::string_view topic) const {
    return acl(topic,
               " --operation Create --operation Describe --operation DescribeConfigs --operation "
               "Write");
}

}  // namespace pgc
