#include "cli/check_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/spill_folder.h"
#include "cli/check_files.h"
#include "cli/instance.h"
#include "cli/sql_session.h"
#include "cli/table.h"
#include "format/registry/check.h"
#include "format/registry/http_client_port.h"
#include "http/tls.h"
#include "kafka/rdkafka_inspector.h"
#include "observe/json_text.h"
#include "observe/wall_text.h"
#include "postgres/check/captured_tables.h"
#include "postgres/check/check.h"
#include "sink/kafka/check.h"
#include "sink/kafka/producer_properties.h"
#include "sink/kafka/sink.h"

namespace pgc {
namespace {

std::string as_json(const Findings& findings) {
    std::string text = "{\"findings\":[";
    for (const Finding& finding : findings) {
        if (text.back() != '[') text += ',';
        text += fmt::format("{{\"id\":\"{}\",\"level\":\"{}\",\"subject\":", finding.id,
                            name(finding.level));
        append_json_string(text, finding.subject);
        text += ",\"message\":";
        append_json_string(text, finding.message);
        text += ",\"hint\":";
        append_json_string(text, finding.hint);
        text += '}';
    }
    return text + "]}\n";
}

std::string as_text(const Findings& findings, bool colours) {
    const auto mark = [&](Finding::Level level) -> std::string {
        switch (level) {
            case Finding::Level::ok: return colours ? "\033[32mok\033[0m      " : "ok      ";
            case Finding::Level::warning: return colours ? "\033[33mwarning\033[0m " : "warning ";
            case Finding::Level::blocking: return colours ? "\033[31mblocking\033[0m" : "blocking";
        }
        return {};
    };
    std::string text;
    for (const Finding& finding : findings) {
        text += fmt::format("{}  {}: {}\n", mark(finding.level), finding.subject, finding.message);
        if (!finding.hint.empty()) text += fmt::format("          hint: {}\n", finding.hint);
    }
    return text;
}

// None when the server can't say; that it can't is a finding already.
std::vector<KafkaTable> tables_of(SqlSession& session, const Findings& findings) {
    const bool unreachable = std::ranges::any_of(findings, [](const Finding& finding) {
        return finding.id == "connection" && finding.level == Finding::Level::blocking;
    });
    if (unreachable) return {};
    auto link = session.connect();
    if (!link) return {};
    const auto captured = captured_tables(*link, session.config());
    if (!captured) return {};
    std::vector<KafkaTable> tables;
    for (const CapturedTable& table : *captured) tables.push_back({table.schema, table.name});
    return tables;
}

void check_sink(Deps& deps, SqlSession& session, Findings& findings) {
    const auto& kafka = session.spec().kafka;
    if (!kafka) return;
    RdKafkaInspector inspector({.config = kafka->connection,
                                .properties = producer_properties(*kafka, KafkaSink::kBatch_bytes),
                                .clock = deps.clock,
                                .waiter = session.waiter(),
                                .logger = session.logger("kafka"),
                                .limit = session.config().connection.connect_timeout});
    const bool position_in_topic = session.spec().position_file.empty();
    const Findings found =
        check_kafka(*kafka, tables_of(session, findings), position_in_topic, inspector);
    findings.insert(findings.end(), found.begin(), found.end());
}

void check_schemas(SqlSession& session, Findings& findings) {
    const auto& registry = session.spec().registry;
    if (!registry) return;
    HttpClientPort http(*registry);
    const Findings found = check_registry(*registry, http, session.waiter());
    findings.insert(findings.end(), found.begin(), found.end());
}

std::string text_of(WallTime at) {
    std::string text;
    append_wall_time(text, at);
    return text;
}

// The certificate that the HTTP server shows, where it has one.
void check_http(Deps& deps, const Settings& settings, Findings& findings) {
    const TlsFiles paths{settings.text("http.tls_cert"), settings.text("http.tls_key")};
    if (paths.certificate.empty() || settings.text("http.listen").empty()) return;
    Finding finding{.id = "http_tls", .subject = "http.tls_cert"};
    const auto usable = load_tls_context(paths, deps.files);
    const auto facts = read_certificate(paths.certificate, deps.files);
    if (!usable || !facts) {
        const Error& error = usable ? facts.error() : usable.error();
        finding.level = Finding::Level::blocking;
        finding.message = fmt::format("{} ({})", error.what, error.where);
        finding.hint = error.hint;
    } else {
        const WallTime now = deps.clock.wall();
        const bool valid = facts->valid_from <= now && now < facts->valid_until;
        finding.message =
            fmt::format("the certificate of {} is valid from {} to {}", printable(facts->subject),
                        text_of(facts->valid_from), text_of(facts->valid_until));
        if (!valid) {
            finding.level = Finding::Level::warning;
            finding.hint = "replace the certificate; a running instance uses the new one by itself";
        }
    }
    findings.push_back(std::move(finding));
}

// Nothing is made. Where all is well, there is nothing to say: without it the server does it.
void check_spill(const PipelineSpec& spec, Findings& findings) {
    if (spec.spill_limit == 0) return;
    const auto usable = may_become_spill_folder(spec.spill_folder);
    if (usable) return;
    findings.push_back({.id = "spill",
                        .level = Finding::Level::warning,
                        .subject = "state.dir",
                        .message = usable.error().what +
                                   ": PostgreSQL keeps huge transactions on its own disk until "
                                   "they are committed",
                        .hint = "let state.dir be a directory that may be written, or set "
                                "state.spill_limit to 0"});
}

// What the instance of this pipeline says of itself, if one answers.
std::string running_instance(const PipelineSpec& spec, Deps& deps) {
    const auto status = ask_instance(spec.settings, deps.files, deps.clock);
    if (!status || status->about.pipeline != spec.name()) return {};
    return fmt::format("{}, {}", name(status->state),
                       status->live ? "live" : "not live: " + printable(status->not_live_because));
}

std::string verdict(const Findings& findings) {
    const auto blocking = std::ranges::count(findings, Finding::Level::blocking, &Finding::level);
    const auto warnings = std::ranges::count(findings, Finding::Level::warning, &Finding::level);
    if (blocking > 0) return fmt::format("\n{} blocking, {} warnings.\n", blocking, warnings);
    return fmt::format("\nReady to follow{}.\n",
                       warnings > 0 ? fmt::format(", {} warnings", warnings) : std::string{});
}

}  // namespace

ExitCode run_check(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    Deps& deps = invocation.deps;
    SqlSession session(deps, *program, "pg-capture check");
    Findings findings = check_postgres(session.config(), session.links(), deps.clock,
                                       session.waiter(), running_instance(session.spec(), deps));
    check_sink(deps, session, findings);
    check_files(deps, session, findings);
    check_schemas(session, findings);
    check_http(deps, program->settings, findings);
    check_spill(session.spec(), findings);
    deps.console.out(invocation.json()
                         ? as_json(findings)
                         : as_text(findings, deps.console.out_is_terminal()) + verdict(findings));
    const bool blocked = std::ranges::any_of(
        findings, [](const Finding& f) { return f.level == Finding::Level::blocking; });
    return blocked ? ExitCode::findings : ExitCode::done;
}

}  // namespace pgc
