#include "cli/parts.h"

#include <unistd.h>

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include "cli/position_store.h"
#include "format/csv/csv_format.h"
#include "format/debezium/debezium_format.h"
#include "format/flat/flat_format.h"
#include "format/heads/protobuf_heads.h"
#include "format/heads/registry_heads.h"
#include "format/native/native_format.h"
#include "format/native/partition_keys.h"
#include "format/registry/make_registry.h"
#include "pgclient/libpq_link.h"
#include "postgres/source/postgres_source.h"
#include "sink/console/sink.h"
#include "sink/discard/sink.h"
#include "sink/file/retention_options.h"
#include "sink/file/sink.h"
#include "sink/file/system_disk.h"
#include "sink/file/task_pool.h"
#include "sink/file/worker.h"
#include "sink/file_registry/postgres_file_index.h"
#include "sink/file_registry/postgres_registry.h"
#include "sink/kafka/rdkafka_producer.h"
#include "sink/kafka/sink.h"
#include "sink/kafka/topic_name.h"

namespace pgc {
namespace {

// Distinguishes this pipeline's sessions from those of every other with the same slot, in this
// process or elsewhere.
std::uint64_t instance(const Clock& clock, const std::string& pipeline) {
    const auto process = static_cast<std::uint64_t>(clock.wall().unix_us) * 65'536 +
                         static_cast<std::uint64_t>(::getpid());
    return process ^ std::hash<std::string>{}(pipeline);
}

std::unique_ptr<KafkaProducers> producers(const std::optional<KafkaConfig>& kafka,
                                          const Clock& clock, const Logger& logger) {
    if (!kafka) return nullptr;
    return std::make_unique<RdKafkaProducers>(*kafka, clock, logger.for_module("kafka"));
}

std::unique_ptr<Disk> disk_of(const PipelineSpec& spec) {
    if (!spec.file) return nullptr;
    return std::make_unique<SystemDisk>(spec.file->modes);
}

std::vector<PartitionColumns> partition_columns(const KafkaConfig& kafka) {
    std::vector<PartitionColumns> all;
    if (kafka.partitioning.by != KafkaPartitionBy::columns) return all;
    for (const auto& [table, columns] : kafka.partition_columns) all.push_back({table, columns});
    return all;
}

}  // namespace

ProgramParts::ProgramParts(std::shared_ptr<const PipelineSpec> spec, const Clock& clock,
                           Metrics& metrics, Logger logger)
    : spec_(std::move(spec)),
      clock_(clock),
      run_(instance(clock, spec_->name())),
      metrics_(metrics),
      logger_(std::move(logger)),
      links_(std::make_unique<LibpqLinkFactory>(
          spec_->postgres.connection, application_name(spec_->postgres.slot, run_), logger_)),
      spill_(spec_->spill_folder),
      producers_(producers(spec_->kafka, clock, logger_)),
      disk_(disk_of(*spec_)),
      registry_links_(make_file_registry_links(*spec_, logger_)) {
    if (spec_->registry) {
        registry_ = make_schema_registry(*spec_->registry, clock, metrics,
                                         logger_.for_module("registry"), run_);
    }
}

ProgramParts::~ProgramParts() = default;

Result<std::unique_ptr<Source>> ProgramParts::make_source(const SourceTask& task) {
    return std::make_unique<PostgresSource>(
        PostgresSource::Deps{.config = spec_->postgres,
                             .links = *links_,
                             .clock = clock_,
                             .metrics = metrics_,
                             .logger = logger_.with({{"attempt", ++attempts_}}),
                             .carry_over = carry_over_,
                             .keepalive_interval = spec_->keepalive_interval,
                             .may_create_slot = task.may_create_slot,
                             .may_replace_slot = task.may_replace_slot,
                             .home = task.home,
                             .snapshot = task.snapshot,
                             .slots = task.slots,
                             .look_only = task.look_only,
                             .spill = &spill_,
                             .spill_limit = spec_->spill_limit});
}

Result<std::vector<std::unique_ptr<Transform>>> ProgramParts::make_transforms(
    std::shared_ptr<RelationSlots>) {
    return std::vector<std::unique_ptr<Transform>>{};
}

Result<std::unique_ptr<Format>> ProgramParts::make_format(const SourceIdentity& identity) {
    FormatContext about{.version = PGC_VERSION,
                        .database = identity.database,
                        .name = spec_->settings.text("kafka.topic_prefix"),
                        .run = fmt::format("{:016x}", run_)};
    if (spec_->format_type == FormatType::native) {
        return std::make_unique<NativeFormat>(spec_->format, std::move(about));
    }
    if (spec_->format_type == FormatType::csv) {
        return std::make_unique<CsvFormat>(spec_->csv, spec_->format);
    }
    switch (spec_->encoding) {
        case FormatEncoding::json:
        case FormatEncoding::json_schema: return make_table_format<JsonEncoding>(std::move(about));
        case FormatEncoding::avro: return make_table_format<AvroEncoding>(std::move(about));
        case FormatEncoding::protobuf: return make_table_format<ProtobufEncoding>(std::move(about));
    }
    std::abort();  // no such encoding
}

template <typename Encoding>
std::unique_ptr<Format> ProgramParts::make_table_format(FormatContext about) {
    TableFormatDeps deps{.options = spec_->format,
                         .debezium = spec_->debezium,
                         .about = std::move(about),
                         .topics = topics(),
                         .heads = make_heads()};
    if (spec_->format_type == FormatType::flat) {
        return std::make_unique<FlatFormat<Encoding>>(std::move(deps), spec_->flat);
    }
    return std::make_unique<DebeziumFormat<Encoding>>(std::move(deps));
}

std::unique_ptr<MessageHeads> ProgramParts::make_heads() {
    if (spec_->debezium.schemas) return std::make_unique<EnvelopeHeads>();
    if (registry_ == nullptr) return std::make_unique<NoHeads>();
    const RegistryConfig& config = *spec_->registry;
    if (spec_->encoding == FormatEncoding::protobuf) {
        return std::make_unique<ProtobufHeads>(
            *registry_, protobuf_memory_,
            ProtobufHeads::Options{.strategy = config.strategy,
                                   .auto_register = config.auto_register});
    }
    const SchemaType type =
        spec_->encoding == FormatEncoding::avro ? SchemaType::avro : SchemaType::json;
    return std::make_unique<RegistryHeads>(
        *registry_,
        RegistryHeads::Options{.type = type, .strategy = config.strategy, .docs = config.docs});
}

// Where the sink is another than Kafka, those that Kafka's would be by default.
MessageTopics ProgramParts::topics() const {
    KafkaConfig config;
    config.topic_prefix = spec_->settings.text("kafka.topic_prefix");
    if (spec_->kafka) config = *spec_->kafka;
    auto names = std::make_shared<TopicNames>(config);
    return {
        .of_table = [names, registers = registry_ != nullptr](
                        std::string_view schema, std::string_view table) -> Result<std::string> {
            auto topic = names->of_table(schema, table);
            if (topic) return std::move(topic->name);
            // The second of two tables with one name. Nothing may be registered under it;
            // else it is Kafka's sink that refuses it, if there is one.
            if (registers) return std::unexpected(std::move(topic.error()));
            return std::string{};
        },
        .messages = names->messages(),
        .transactions = names->transactions(),
        .heartbeats = names->heartbeats()};
}

Result<std::unique_ptr<PartitionKeys>> ProgramParts::make_partition_keys() {
    if (!spec_->kafka) return nullptr;
    auto columns = partition_columns(*spec_->kafka);
    if (columns.empty()) return nullptr;
    return std::make_unique<NativePartitionKeys>(spec_->format, std::move(columns));
}

Result<std::unique_ptr<Sink>> ProgramParts::make_sink() {
    switch (spec_->sink) {
        case SinkKind::kafka: return make_kafka_sink();
        case SinkKind::file: return make_file_sink();
        case SinkKind::console: return make_console_sink();
        case SinkKind::discard: return std::make_unique<DiscardSink>();
    }
    std::abort();  // no such kind
}

Result<std::unique_ptr<Sink>> ProgramParts::make_console_sink() {
    return std::make_unique<ConsoleSink>(STDOUT_FILENO, spec_->console, &console_carry_over_);
}

Result<std::unique_ptr<Sink>> ProgramParts::make_file_sink() {
    const Logger logger = logger_.for_module("file");
    return std::make_unique<FileSink>(
        FileSink::Deps{.config = spec_->file,
                       .disk = *disk_,
                       .clock = clock_,
                       .metrics = metrics_,
                       .logger = logger,
                       .registry = std::make_unique<PostgresFileRegistry>(
                           *registry_links_, file_registry_config(*spec_), clock_, logger),
                       .worker = std::make_unique<ThreadWorker>(),
                       .pool = std::make_unique<ThreadPool>(spec_->file->writers),
                       .start_retention = retention()});
}

// Nothing where no file is to be removed.
std::function<std::unique_ptr<FileRetention>()> ProgramParts::retention() {
    const FileRetentionConfig config = file_retention_config(spec_->settings);
    if (!config.is_on()) return {};
    return [this, config] {
        const auto make_index = [this](Waiter& waiter, const std::atomic<bool>& ending, int wake) {
            return std::make_unique<PostgresFileIndex>(
                make_file_registry_links(*spec_, logger_), file_registry_config(*spec_), clock_,
                waiter, PostgresFileIndex::Interrupt{.fd = wake, .asked = &ending});
        };
        return std::make_unique<FileRetention>(
            FileRetention::Deps{.config = config,
                                .root = spec_->file->root,
                                .make_index = make_index,
                                .disk = std::make_unique<SystemDisk>(spec_->file->modes),
                                .clock = clock_,
                                .metrics = metrics_,
                                .logger = logger_.for_module("file")});
    };
}

Result<std::unique_ptr<Sink>> ProgramParts::make_kafka_sink() {
    const KafkaConfig& kafka = *spec_->kafka;
    KafkaSink::Deps deps{.config = kafka,
                         .producers = *producers_,
                         .carry_over = kafka_carry_over_,
                         .clock = clock_,
                         .metrics = metrics_,
                         .logger = logger_.for_module("kafka"),
                         .pending_bytes_max = spec_->options.flow.budget_bytes};
    if (kafka.exactly_once()) {
        deps.positions = make_position_topic(kafka, kafka.pipeline, clock_, deps.logger);
        deps.first_look = make_position_topic(kafka, kafka.pipeline, clock_, deps.logger, true);
    }
    return KafkaSink::make(std::move(deps));
}

}  // namespace pgc
