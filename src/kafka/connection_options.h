// The options that say how Kafka is reached: kafka.brokers, kafka.properties, kafka.security.*.
#pragma once

#include <span>

#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "kafka/connection.h"

namespace pgc {

std::span<const OptionTable> kafka_connection_tables() noexcept;

// Of settings that load() found no fault in; `files` must outlive the result.
KafkaConnection kafka_connection(const Settings& settings, Files& files);

}  // namespace pgc
