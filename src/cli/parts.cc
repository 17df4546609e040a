#include "cli/parts.h"

#include <unistd.h>

#include <cstdlib>

#include "format/native/native_format.h"
#include "format/native/partition_keys.h"
#include "format/options.h"
#include "pgclient/libpq_link.h"
#include "pipeline/options.h"
#include "postgres/source/postgres_source.h"
#include "sink/console/options.h"
#include "sink/console/sink.h"
#include "sink/discard/sink.h"
#include "sink/kafka/options.h"
#include "sink/kafka/rdkafka_producer.h"
#include "sink/kafka/sink.h"

namespace pgc {
namespace {

// Distinguishes this process's sessions from those of every other with the same slot.
std::uint64_t instance(const Clock& clock) {
    return static_cast<std::uint64_t>(clock.wall().unix_us) * 65'536 +
           static_cast<std::uint64_t>(::getpid());
}

std::unique_ptr<KafkaProducers> producers(const KafkaConfig* kafka, const Clock& clock,
                                          const Logger& logger) {
    if (kafka == nullptr) return nullptr;
    return std::make_unique<RdKafkaProducers>(*kafka, clock, logger.for_module("kafka"));
}

std::vector<PartitionColumns> partition_columns(const KafkaConfig& kafka) {
    std::vector<PartitionColumns> all;
    if (kafka.partitioning.by != KafkaPartitionBy::columns) return all;
    for (const auto& [table, columns] : kafka.partition_columns) all.push_back({table, columns});
    return all;
}

}  // namespace

std::optional<KafkaConfig> configured_kafka(const Settings& settings,
                                            const PostgresConfig& postgres, Files& files) {
    if (settings.choice("sink", kSinks) != SinkKind::kafka) return std::nullopt;
    return kafka_config(settings, postgres.connection.database, files);
}

FlowOptions flow_options(const Settings& settings) {
    FlowOptions options = pipeline_options(settings, {}).flow;
    options.budget_bytes = memory_budget(settings);
    options.encoder.tombstones = wants_tombstones(settings);
    return options;
}

ProgramParts::ProgramParts(const Settings& settings, const PostgresConfig& postgres,
                           const KafkaConfig* kafka, const Clock& clock, Metrics& metrics,
                           Logger logger, SinkKind sink)
    : settings_(settings),
      postgres_(postgres),
      clock_(clock),
      metrics_(metrics),
      logger_(std::move(logger)),
      sink_(sink),
      links_(std::make_unique<LibpqLinkFactory>(
          postgres.connection, application_name(postgres.slot, instance(clock)), logger_)),
      kafka_(kafka),
      producers_(producers(kafka, clock, logger_)) {}

ProgramParts::~ProgramParts() = default;

Result<std::unique_ptr<Source>> ProgramParts::make_source(const SourceTask& task) {
    return std::make_unique<PostgresSource>(
        PostgresSource::Deps{.config = postgres_,
                             .links = *links_,
                             .clock = clock_,
                             .metrics = metrics_,
                             .logger = logger_.with({{"attempt", ++attempts_}}),
                             .carry_over = carry_over_,
                             .keepalive_interval = keepalive_interval(settings_),
                             .may_create_slot = task.may_create_slot,
                             .may_replace_slot = task.may_replace_slot,
                             .home = task.home,
                             .snapshot = task.snapshot,
                             .slots = task.slots,
                             .look_only = task.look_only});
}

Result<std::vector<std::unique_ptr<Transform>>> ProgramParts::make_transforms(
    std::shared_ptr<RelationSlots>) {
    return std::vector<std::unique_ptr<Transform>>{};
}

Result<std::unique_ptr<Format>> ProgramParts::make_format(const SourceIdentity& identity) {
    FormatOptions options = format_options(settings_);
    if (postgres_.toast == ToastMode::placeholder) {
        options.unsent_toast = UnsentToast::placeholder;
    }
    return std::make_unique<NativeFormat>(
        std::move(options), FormatContext{.version = PGC_VERSION, .database = identity.database});
}

Result<std::unique_ptr<PartitionKeys>> ProgramParts::make_partition_keys() {
    auto columns = kafka_ == nullptr ? std::vector<PartitionColumns>{} : partition_columns(*kafka_);
    if (columns.empty()) return nullptr;
    return std::make_unique<NativePartitionKeys>(format_options(settings_), std::move(columns));
}

Result<std::unique_ptr<Sink>> ProgramParts::make_sink() {
    switch (sink_) {
        case SinkKind::kafka: return make_kafka_sink();
        case SinkKind::console:
            return std::make_unique<ConsoleSink>(STDOUT_FILENO, console_sink_options(settings_));
        case SinkKind::discard: return std::make_unique<DiscardSink>();
    }
    std::abort();  // no such kind
}

Result<std::unique_ptr<Sink>> ProgramParts::make_kafka_sink() {
    return KafkaSink::make({.config = *kafka_,
                            .producers = *producers_,
                            .carry_over = kafka_carry_over_,
                            .clock = clock_,
                            .metrics = metrics_,
                            .logger = logger_.for_module("kafka"),
                            .pending_bytes_max = memory_budget(settings_)});
}

}  // namespace pgc
