#include "cli/parts.h"

#include <unistd.h>

#include <cstdlib>

#include "format/native/native_format.h"
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

// A value whose binary form is not its type's: the type has changed (ALTER TYPE is not
// announced). In text every value can be shown, so the source is asked for that, once and
// for good, and what was not delivered comes again.
class TextFallback final : public Format {
public:
    TextFallback(std::unique_ptr<Format> format, SourceCarryOver& carry_over)
        : format_(std::move(format)), carry_over_(carry_over) {}

    Result<void> encode(const Batch& batch, RecordBatch& out) override {
        auto encoded = format_->encode(batch, out);
        if (!encoded && encoded.error().category == Error::Category::protocol &&
            !carry_over_.text_only) {
            carry_over_.text_only = true;
            encoded.error().next = Error::Next::restart;
            encoded.error().what += ": continuing in text";
        }
        return encoded;
    }

private:
    const std::unique_ptr<Format> format_;
    SourceCarryOver& carry_over_;
};

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
                             .look_only = task.look_only});
}

Result<std::unique_ptr<Format>> ProgramParts::make_format(const SourceIdentity& identity) {
    FormatOptions options = format_options(settings_);
    if (postgres_.toast == ToastMode::placeholder) {
        options.unsent_toast = UnsentToast::placeholder;
    }
    if (kafka_ != nullptr) options.partition_columns = partition_columns(*kafka_);
    auto native = std::make_unique<NativeFormat>(
        std::move(options), FormatContext{.version = PGC_VERSION, .database = identity.database});
    return std::make_unique<TextFallback>(std::move(native), carry_over_);
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
    return KafkaSink::make(
        {.config = *kafka_,
         .producers = *producers_,
         .carry_over = kafka_carry_over_,
         .clock = clock_,
         .metrics = metrics_,
         .logger = logger_.for_module("kafka"),
         .pending_bytes_max = static_cast<std::size_t>(settings_.integer("kafka.buffer_memory"))});
}

}  // namespace pgc
