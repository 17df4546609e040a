// The Kafka side of `pg-capture check`: every precondition of writing there, looked at without
// changing anything.
//
//   settings ─▶ each bootstrap address ─▶ cluster ─▶ tables' topics ─▶ dead letters ─▶ positions
//
// Goes on after a finding as far as it can. Each hint, applied as it stands, makes its finding
// pass; commands are those of Kafka's own tools.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "kafka/inspector.h"
#include "observe/findings.h"
#include "sink/kafka/config.h"

namespace pgc {

struct KafkaTable {
    std::string schema;
    std::string name;
};

// `tables` are those that will be written; none when they are not known.
Findings check_kafka(const KafkaConfig& config, std::span<const KafkaTable> tables,
                     bool position_in_topic, KafkaInspector& inspector);

}  // namespace pgc
