// What a person types to fix what `check` finds: commands of Kafka's own tools.
#pragma once

#include <string>
#include <string_view>

#include "sink/kafka/config.h"
#include "sink/kafka/producer.h"

namespace pgc {

class KafkaCheckHints {
public:
    explicit KafkaCheckHints(const KafkaConfig& config);

    std::string create(const KafkaNewTopic& topic) const;
    // `setting` as "min.insync.replicas=1".
    std::string alter(std::string_view topic, std::string_view setting) const;
    // To write, or to write and create.
    std::string allow(std::string_view topic) const;
    std::string allow_create(std::string_view topic) const;
    std::string allow_transactions(std::string_view id) const;

private:
    std::string tool(std::string_view name, std::string_view arguments) const;
    std::string acl(std::string_view topic, std::string_view operations) const;

    const std::string brokers_;
    const std::string principal_;
};

}  // namespace pgc
