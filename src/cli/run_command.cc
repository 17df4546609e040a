#include "cli/run_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string_view>

#include "base/local_address.h"
#include "base/random.h"
#include "base/wait.h"
#include "cli/error_output.h"
#include "cli/parts.h"
#include "cli/position_store.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "http/host_guard.h"
#include "http/listen_address.h"
#include "http/server.h"
#include "http/tls.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "observe/status.h"
#include "pgclient/quote.h"
#include "pipeline/pipeline.h"
#include "pipeline/snapshot_requests.h"
#include "server/health_routes.h"
#include "server/snapshot_routes.h"

namespace pgc {
namespace {

// No two processes of one start need the same jitter; it is no secret.
std::uint64_t seed(const Clock& clock) {
    return static_cast<std::uint64_t>(clock.wall().unix_us) ^
           (static_cast<std::uint64_t>(::getpid()) << 32);
}

std::optional<Lsn> parse_until(Invocation& invocation) {
    const std::string text = invocation.line.value("until");
    if (text.empty()) return Lsn{};
    const auto lsn = parse_lsn(text);
    if (!lsn || !*lsn) {
        report_usage_error(invocation.deps,
                           "flag --until: " + text + " is not an LSN such as 16/B374D848");
        return std::nullopt;
    }
    return lsn;
}

// What a pipeline depends on, in the order in which it must outlive the next.
class Daemon {
public:
    Daemon(Deps& deps, const LogOptions& logs, std::shared_ptr<const PipelineSpec> spec)
        : deps_(deps),
          spec_(std::move(spec)),
          lines_(STDERR_FILENO),
          log_(logs, lines_, deps.clock),
          logger_(log_.logger("pipeline").with({{"pipeline", spec_->name()}})),
          metrics_(PGC_VERSION, spec_->name()),
          status_({.pipeline = spec_->name(),
                   .version = PGC_VERSION,
                   .sink = spec_->settings.word("sink"),
                   .buffer_limit_bytes = spec_->options.flow.budget_bytes},
                  deps.clock, &metrics_.histogram(Metric::end_to_end_latency_seconds)),
          signals_(stop_) {}

    Result<ExitCode> run() {
        introduce();
        warn(spec_->postgres);
        if (spec_->kafka) warn(*spec_->kafka);
        const auto http = serve();
        if (!http) return std::unexpected(http.error());
        ProgramParts parts(spec_, deps_.clock, metrics_,
                           log_.logger("postgres").with({{"pipeline", spec_->name()}}));
        const auto positions = make_position_store(*spec_, deps_.files, deps_.clock, logger_);
        PollWaiter waiter(deps_.clock);
        Random random(seed(deps_.clock));
        Pipeline pipeline(spec_->options, {.clock = deps_.clock,
                                           .waiter = waiter,
                                           .random = random,
                                           .store = *positions,
                                           .parts = parts,
                                           .stop = stop_,
                                           .status = status_,
                                           .metrics = metrics_,
                                           .snapshot_requests = snapshot_requests_,
                                           .log = logger_});
        if (auto ended = pipeline.run(); !ended) return std::unexpected(std::move(ended.error()));
        if (spec_->options.snapshot == SnapshotMode::only && !stop_.drain()) {
            log_what_stays(*positions);
        }
        return stop_.at_once() ? ExitCode::interrupted : ExitCode::done;
    }

private:
    Result<std::unique_ptr<HttpServer>> serve() {
        const Settings& settings = spec_->settings;
        const std::string& listen = settings.text("http.listen");
        if (listen.empty()) return nullptr;
        Router router;
        const auto address = parse_listen_address(listen);
        if (!address) return std::unexpected(address.error());
        const TlsFiles paths{settings.text("http.tls_cert"), settings.text("http.tls_key")};
        std::unique_ptr<ServerTls> tls;
        if (!paths.certificate.empty()) {
            auto opened = ServerTls::open(paths, deps_.files, deps_.clock, log_.logger("server"));
            if (!opened) return std::unexpected(std::move(opened.error()).at("http.tls_cert"));
            tls = std::move(*opened);
        } else if (settings.given("http.token") && !is_this_machine(address->host)) {
            logger_.warning(
                "http.token travels in plain text to whoever reaches http.listen",
                {{"listen", listen},
                 {"hint", "set http.tls_cert and http.tls_key, or listen on 127.0.0.1"}});
        }
        router.only_for(HostGuard(address->host, settings.list("http.allowed_hosts")));
        add_health_routes(router, status_, metrics_);
        add_snapshot_routes(router, {.snapshot_requests = snapshot_requests_,
                                     .clock = deps_.clock,
                                     .token = settings.secret_source("http.token", deps_.files),
                                     .log = log_.logger("server")});
        return HttpServer::start(listen, std::move(router), deps_.clock, log_.logger("server"),
                                 std::move(tls));
    }

    // Of source.snapshot.mode: only. Nobody who wants rows once expects a slot that fills the disk.
    void log_what_stays(const PositionStore& positions) const {
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

    // What is about to be done, as it was understood; what the server has to it comes with
    // "connected".
    void introduce() const {
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
        const std::string_view uri = unread_uri(deps_.environment);
        if (!uri.empty()) {
            logger_.info("a connection URI is not read", {{"variable", uri}});
        }
    }

    void warn(const PostgresConfig& postgres) const {
        if (postgres.connection.plain_text_to_others()) {
            logger_.warning("the connection to PostgreSQL is not encrypted",
                            {{"hint", "set postgres.ssl_mode to verify-full"}});
        }
    }

    void warn(const KafkaConfig& kafka) const {
        if (kafka.connection.plain_text_to_others()) {
            logger_.warning("the connection to Kafka is not encrypted",
                            {{"hint", "set kafka.security.protocol to SSL or SASL_SSL"}});
        }
        if (kafka.connection.secret_in_plain_text()) {
            logger_.warning("the OAuth client's secret goes over the network in plain text",
                            {{"hint",
                              "give the https:// address of the token endpoint in "
                              "kafka.security.oauth.token_url"}});
        }
        if (kafka.may_lose()) {
            logger_.warning(
                "records may be lost when a broker fails: not all replicas acknowledge them",
                {{"hint", "set kafka.acks to all"}});
        }
    }

    Deps& deps_;
    const std::shared_ptr<const PipelineSpec> spec_;
    DescriptorLines lines_;
    Log log_;
    const Logger logger_;
    Metrics metrics_;
    Status status_;
    SnapshotRequests snapshot_requests_;
    StopRequest stop_;
    Signals signals_;
};

}  // namespace

ExitCode run_follow(Invocation& invocation) {
    const auto until = parse_until(invocation);
    if (!until) return ExitCode::configuration;
    const auto program = load_program(invocation);
    if (!program) return program.error();
    PipelineSpec spec = pipeline_spec(program->settings, invocation.deps.files);
    spec.options.until = *until;
    auto ended = Daemon(invocation.deps, program->logs,
                        std::make_shared<const PipelineSpec>(std::move(spec)))
                     .run();
    return ended ? *ended : report_error(invocation, ended.error());
}

}  // namespace pgc
