// What one pipeline is configured to be, put together once from the settings and not changed any
// more: whoever works for the pipeline holds it, and it lives as long as the last of them.
//
// A command that wants something else than `run` changes its copy before it is handed on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "cli/options.h"
#include "config/settings.h"
#include "format/csv/options.h"
#include "format/debezium/options.h"
#include "format/flat/options.h"
#include "format/options.h"
#include "format/registry/config.h"
#include "pgclient/connection.h"
#include "pipeline/options.h"
#include "postgres/options.h"
#include "sink/console/options.h"
#include "sink/file/config.h"
#include "sink/kafka/config.h"

namespace pgc {

struct PipelineSpec {
    PipelineOptions options;  // with the name
    PostgresConfig postgres;
    Duration keepalive_interval{0};  // the source's
    FormatType format_type{};
    FormatEncoding encoding{};
    FormatOptions format;
    DebeziumOptions debezium;  // where messages are of its form, or flat
    FlatOptions flat;
    CsvOptions csv;
    std::optional<RegistryConfig> registry;  // where messages' schemas are registered
    SinkKind sink{};
    std::optional<KafkaConfig> kafka;  // where the sink is Kafka
    ConsoleSinkOptions console;
    std::shared_ptr<const FileSinkConfig> file;  // where the sink is files; else null
    ConnectionConfig file_registry;              // then
    std::string position_file;                   // empty: the sink keeps the position
    std::string spill_folder;                    // of transactions that are not committed yet
    std::uint64_t spill_limit = 0;
    Settings settings;  // what all this is from, for people

    const std::string& name() const noexcept { return options.name; }
};

// Of settings that load() found no fault in. `files` must outlive the result.
PipelineSpec pipeline_spec(const Settings& settings, Files& files);

}  // namespace pgc
