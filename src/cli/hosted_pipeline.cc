#include "cli/hosted_pipeline.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/wait.h"
#include "cli/parts.h"
#include "cli/position_store.h"
#include "pgclient/quote.h"
#include "pipeline/pipeline.h"

namespace pgc {
namespace {

// No two pipelines that start at once need the same jitter; it is no secret.
std::uint64_t seed(const Clock& clock, const std::string& pipeline) {
    return static_cast<std::uint64_t>(clock.wall().unix_us) ^
           (static_cast<std::uint64_t>(::getpid()) << 32) ^ std::hash<std::string>{}(pipeline);
}

void warn(const PostgresConfig& postgres, const Logger& logger) {
    if (postgres.connection.plain_text_to_others()) {
        logger.warning("the connection to PostgreSQL is not encrypted",
                       {{"hint", "set postgres.ssl_mode to verify-full"}});
    }
}

void warn(const KafkaConfig& kafka, const Logger& logger) {
    if (kafka.connection.plain_text_to_others()) {
        logger.warning("the connection to Kafka is not encrypted",
                       {{"hint", "set kafka.security.protocol to SSL or SASL_SSL"}});
    }
    if (kafka.connection.secret_in_plain_text()) {
        logger.warning("the OAuth client's secret goes over the network in plain text",
                       {{"hint",
                         "give the https:// address of the token endpoint in "
                         "kafka.security.oauth.token_url"}});
    }
    if (kafka.may_lose()) {
        logger.warning("records may be lost when a broker fails: not all replicas acknowledge them",
                       {{"hint", "set kafka.acks to all"}});
    }
}

void warn(const RegistryConfig& registry, const Logger& logger) {
    if (registry.secret_in_plain_text()) {
        logger.warning(
            "the schema registry's password or token goes over the network in plain text",
            {{"hint", "give the https:// address of the registry in format.registry.url"}});
    }
}

}  // namespace

HostedPipeline::HostedPipeline(std::shared_ptr<const PipelineSpec> spec, Files& files,
                               const Clock& clock, Log& log)
    : spec_(std::move(spec)),
      files_(files),
      clock_(clock),
      logger_(log.logger("pipeline").with({{"pipeline", spec_->name()}})),
      source_logger_(log.logger("postgres").with({{"pipeline", spec_->name()}})),
      metrics_(PGC_VERSION, spec_->name()),
      status_({.pipeline = spec_->name(),
               .version = PGC_VERSION,
               .sink = spec_->settings.word("sink"),
               .buffer_limit_bytes = spec_->options.flow.budget_bytes},
              clock, &metrics_.histogram(Metric::end_to_end_latency_seconds)) {}

void HostedPipeline::introduce(std::string_view unread_uri) const {
    const Settings& settings = spec_->settings;
    const PostgresConfig& postgres = spec_->postgres;
    logger_.info(
        "starting",
        {{"version", PGC_VERSION},
         {"server", settings.text("postgres.host")},
         {"database", postgres.connection.database},
         {"role", postgres.connection.username},
         {"publication", postgres.publication},
         {"slot", postgres.slot},
         {"tables", fmt::format("{}", fmt::join(settings.list("source.tables.include"), ","))},
         {"snapshot", settings.word("source.snapshot.mode")},
         {"sink", settings.word("sink")}});
    if (const auto& kafka = spec_->kafka) {
        logger_.info("to Kafka",
                     {{"brokers", fmt::format("{}", fmt::join(kafka->connection.brokers, ","))},
                      {"topics", kafka->topic},
                      {"prefix", kafka->topic_prefix},
                      {"positions", kafka->state_topic}});
    }
    if (!unread_uri.empty()) {
        logger_.info("a connection URI is not read", {{"variable", unread_uri}});
    }
    warn(postgres, logger_);
    if (spec_->kafka) warn(*spec_->kafka, logger_);
    if (spec_->registry) warn(*spec_->registry, logger_);
}

Result<void> HostedPipeline::run() {
    ProgramParts parts(spec_, clock_, metrics_, source_logger_);
    const auto positions = make_position_store(*spec_, files_, clock_, logger_);
    PollWaiter waiter(clock_);
    Random random(seed(clock_, spec_->name()));
    Pipeline pipeline(spec_->options, {.clock = clock_,
                                       .waiter = waiter,
                                       .random = random,
                                       .store = *positions,
                                       .parts = parts,
                                       .stop = stop_,
                                       .status = status_,
                                       .metrics = metrics_,
                                       .snapshot_requests = snapshot_requests_,
                                       .log = logger_});
    auto ended = pipeline.run();
    if (ended && spec_->options.snapshot == SnapshotMode::only && !stop_.drain()) {
        log_what_stays(*positions);
    }
    return ended;
}

// Of source.snapshot.mode: only. Nobody who wants rows once expects a slot that fills the disk.
void HostedPipeline::log_what_stays(const PositionStore& positions) const {
    const PostgresConfig& postgres = spec_->postgres;
    logger_.warning(
        "every row is read; slot, publication and position stay, and the slot keeps all WAL "
        "from here on until it is read or dropped",
        {{"slot", postgres.slot},
         {"publication", postgres.publication},
         {"position", positions.where()},
         {"hint",
          fmt::format("to continue with the changes, start with source.snapshot.mode: never; "
                      "to leave nothing behind, after which changes from here on are lost to "
                      "us: pg-capture position reset --drop-slot --yes; DROP PUBLICATION {}",
                      quote_name(postgres.publication))}});
}

}  // namespace pgc
