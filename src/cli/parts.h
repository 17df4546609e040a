// The concrete source, format and sink of a pipeline's specification: the only place that knows
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/spill_folder.h"
#include "cli/pipeline_spec.h"
#include "format/heads/message_heads.h"
#include "format/heads/protobuf_heads.h"
#include "format/options.h"
#include "format/registry/registry.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "pipeline/parts.h"
#include "postgres/relations/source_carry_over.h"
#include "sink/console/sink.h"
#include "sink/file/disk.h"
#include "sink/file/retention.h"
#include "sink/kafka/carry_over.h"
#include "sink/kafka/producer.h"

namespace pgc {

class ProgramParts final : public PipelineParts {
public:
    // The clock and the metrics outlive it.
    ProgramParts(std::shared_ptr<const PipelineSpec> spec, const Clock& clock, Metrics& metrics,
                 Logger logger);
    ~ProgramParts() override;

    Result<std::unique_ptr<Source>> make_source(const SourceTask& task) override;
    Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
        std::shared_ptr<RelationSlots> slots) override;
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity& identity) override;
    Result<std::unique_ptr<PartitionKeys>> make_partition_keys() override;
    Result<std::unique_ptr<Sink>> make_sink() override;

private:
    template <typename Encoding>
    std::unique_ptr<Format> make_table_format(FormatContext about);
    std::unique_ptr<MessageHeads> make_heads();
    MessageTopics topics() const;
    Result<std::unique_ptr<Sink>> make_console_sink();
    Result<std::unique_ptr<Sink>> make_kafka_sink();
    Result<std::unique_ptr<Sink>> make_file_sink();
    std::function<std::unique_ptr<FileRetention>()> retention();

    const std::shared_ptr<const PipelineSpec> spec_;
    const Clock& clock_;
    const std::uint64_t run_;  // which start this is, of all processes
    Metrics& metrics_;
    const Logger logger_;
    const std::unique_ptr<LinkFactory> links_;
    SourceCarryOver carry_over_;
    SystemSpillFolder spill_;
    const std::unique_ptr<KafkaProducers> producers_;  // null where the sink is another
    std::unique_ptr<SchemaRegistry> registry_;         // null where no schema is registered
    ProtobufMemory protobuf_memory_;
    KafkaCarryOver kafka_carry_over_;
    ConsoleCarryOver console_carry_over_;
    const std::unique_ptr<Disk> disk_;  // null where the sink is another than files
    const std::unique_ptr<LinkFactory> registry_links_;  // likewise
    std::uint64_t attempts_ = 0;
};

}  // namespace pgc
