#include "cli/run_command.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/local_address.h"
#include "cli/error_output.h"
#include "cli/hosted_pipeline.h"
#include "cli/pipeline_spec.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "http/host_guard.h"
#include "http/listen_address.h"
#include "http/server.h"
#include "http/tls.h"
#include "observe/log.h"
#include "server/health_routes.h"
#include "server/snapshot_routes.h"

namespace pgc {
namespace {

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

// The process: what its pipeline is given, how it is asked to end, how it is looked at.
class Daemon {
public:
    Daemon(Deps& deps, const Program& program, std::shared_ptr<const PipelineSpec> spec)
        : deps_(deps),
          settings_(program.settings),
          lines_(STDERR_FILENO),
          log_(program.logs, lines_, deps.clock),
          pipeline_(std::move(spec), deps.files, deps.clock, log_),
          signals_(pipeline_.stop()) {}

    Result<ExitCode> run() {
        pipeline_.introduce(unread_uri(deps_.environment));
        const auto http = serve();
        if (!http) return std::unexpected(http.error());
        if (auto ended = pipeline_.run(); !ended) return std::unexpected(std::move(ended.error()));
        return pipeline_.stop().at_once() ? ExitCode::interrupted : ExitCode::done;
    }

private:
    Result<std::unique_ptr<HttpServer>> serve() {
        const std::string& listen = settings_.text("http.listen");
        if (listen.empty()) return nullptr;
        Router router;
        const auto address = parse_listen_address(listen);
        if (!address) return std::unexpected(address.error());
        const TlsFiles paths{settings_.text("http.tls_cert"), settings_.text("http.tls_key")};
        std::unique_ptr<ServerTls> tls;
        if (!paths.certificate.empty()) {
            auto opened = ServerTls::open(paths, deps_.files, deps_.clock, log_.logger("server"));
            if (!opened) return std::unexpected(std::move(opened.error()).at("http.tls_cert"));
            tls = std::move(*opened);
        } else if (settings_.given("http.token") && !is_this_machine(address->host)) {
            pipeline_.logger().warning(
                "http.token travels in plain text to whoever reaches http.listen",
                {{"listen", listen},
                 {"hint", "set http.tls_cert and http.tls_key, or listen on 127.0.0.1"}});
        }
        router.only_for(HostGuard(address->host, settings_.list("http.allowed_hosts")));
        const ServedPipelines pipelines{pipeline_.served()};
        add_health_routes(router, pipelines);
        add_snapshot_routes(router, pipelines,
                            {.clock = deps_.clock,
                             .token = settings_.secret_source("http.token", deps_.files),
                             .log = log_.logger("server")});
        return HttpServer::start(listen, std::move(router), deps_.clock, log_.logger("server"),
                                 std::move(tls));
    }

    Deps& deps_;
    const Settings& settings_;
    DescriptorLines lines_;
    Log log_;
    HostedPipeline pipeline_;
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
    auto ended =
        Daemon(invocation.deps, *program, std::make_shared<const PipelineSpec>(std::move(spec)))
            .run();
    return ended ? *ended : report_error(invocation, ended.error());
}

}  // namespace pgc
