// What the user can say about writing to Kafka: kafka.* but for the connection
// (kafka/connection_options.h), dead_letter_topic, state.topic.
#pragma once

#include <span>
#include <string_view>

#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "sink/kafka/config.h"

namespace pgc {

std::span<const OptionTable> kafka_option_tables() noexcept;

// Of settings that load() found no fault in; `files` must outlive the result. The database
// is the source's, for {db}.
KafkaConfig kafka_config(const Settings& settings, std::string_view database, Files& files);

}  // namespace pgc
