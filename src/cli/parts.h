// The concrete source, format and sink the settings name: the only place that knows them.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "cli/options.h"
#include "config/settings.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "pipeline/flow.h"
#include "pipeline/parts.h"
#include "postgres/options.h"
#include "postgres/relations/source_carry_over.h"
#include "sink/kafka/carry_over.h"
#include "sink/kafka/config.h"
#include "sink/kafka/producer.h"

namespace pgc {

// What the settings say of Kafka; nothing where the sink is another.
std::optional<KafkaConfig> configured_kafka(const Settings& settings,
                                            const PostgresConfig& postgres, Files& files);

// How changes flow, in every command that lets them.
FlowOptions flow_options(const Settings& settings);

class ProgramParts final : public PipelineParts {
public:
    // All outlive it. `sink` is the configured one, or another for a command of its own (peek);
    // `kafka` is null where it is not Kafka.
    ProgramParts(const Settings& settings, const PostgresConfig& postgres, const KafkaConfig* kafka,
                 const Clock& clock, Metrics& metrics, Logger logger, SinkKind sink);
    ~ProgramParts() override;

    Result<std::unique_ptr<Source>> make_source(const SourceTask& task) override;
    Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
        std::shared_ptr<RelationSlots> slots) override;
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity& identity) override;
    Result<std::unique_ptr<PartitionKeys>> make_partition_keys() override;
    Result<std::unique_ptr<Sink>> make_sink() override;

private:
    Result<std::unique_ptr<Sink>> make_kafka_sink();

    const Settings& settings_;
    const PostgresConfig& postgres_;
    const Clock& clock_;
    Metrics& metrics_;
    const Logger logger_;
    const SinkKind sink_;
    const std::unique_ptr<LinkFactory> links_;
    SourceCarryOver carry_over_;
    const KafkaConfig* const kafka_;
    const std::unique_ptr<KafkaProducers> producers_;  // null where the sink is another
    KafkaCarryOver kafka_carry_over_;
    std::uint64_t attempts_ = 0;
};

}  // namespace pgc
