#include "cli/init_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "cli/config_commands.h"
#include "cli/error_output.h"
#include "cli/pipeline_spec.h"
#include "cli/position_store.h"
#include "cli/program.h"
#include "cli/sql_session.h"
#include "observe/json_text.h"
#include "pgclient/quote.h"
#include "postgres/check/ddl_trigger.h"
#include "postgres/check/preparation.h"
#include "sink/file_registry/schema.h"

namespace pgc {
namespace {

using namespace std::string_literals;

// -- what belongs together ------------------------------------------------------------------

bool has_any(const CommandLine& line) {
    return line.has("sql") || line.has("ddl") || line.has("registry");
}

void refuse(Invocation& invocation, std::string key, std::string reason, std::string hint = {}) {
    invocation.line.errors.add({.where = "command line",
                                .key = std::move(key),
                                .reason = std::move(reason),
                                .nearest = {},
                                .hint = std::move(hint)});
}

void check_flags(Invocation& invocation) {
    const CommandLine& line = invocation.line;
    if (line.has("remove") && !line.has("ddl")) {
        refuse(invocation, "--remove", "it goes with --ddl");
    }
    if (line.has("ddl") && line.has("registry")) {
        refuse(invocation, "--registry", "--ddl and --registry are two commands");
    }
    if (line.has("loader") && (line.has("ddl") || !(line.has("registry") || line.has("sql")))) {
        refuse(invocation, "--loader", "it goes with --registry, or with --sql");
    }
    if (!has_any(line) || line.arguments.empty()) return;
    refuse(invocation, line.arguments.front(),
           line.has("sql") ? "with --sql nothing is written but to the output"
                           : "no file is written with this flag",
           "the configuration is named by -c");
}

// -- the registry of files ------------------------------------------------------------------

Error no_files() {
    return stop(Error::Category::configuration,
                "only a pipeline that writes files has a registry of them")
        .with_hint("set sink to file, or leave out --registry");
}

std::string grants(const PipelineSpec& spec, const std::string& loader) {
    std::string sql = registry_writer_grants(spec.file_registry.username) + "\n";
    if (!loader.empty()) sql += registry_loader_grants(loader) + "\n";
    return sql;
}

// A name in a comment, which ends with its line.
std::string one_line(std::string name) {
    std::ranges::replace_if(name, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return name;
}

// For psql, in the registry's database.
std::string registry_sql(const PipelineSpec& spec, const std::string& loader) {
    const std::string& writer = spec.file_registry.username;
    return fmt::format(
        R"sql(
-- The registry of files, in {0}: its tables, and what the role may do there that writes it.
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN', {1})
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {1}) \gexec
{2}{3})sql",
        one_line(spec.file_registry.database), quote_text(writer), registry_statements(),
        grants(spec, loader));
}

Result<void> make_registry_tables(const PipelineSpec& spec, SqlSession& session, const Clock& clock,
                                  const std::string& loader) {
    const auto links = make_file_registry_links(spec, session.logger("file"));
    auto link = BlockingLink::connect(*links, LinkFactory::Use::sql, clock, session.waiter(),
                                      spec.file_registry.connect_timeout);
    if (!link) return std::unexpected(std::move(link.error()));
    std::string sql = registry_statements();
    if (!loader.empty()) sql += registry_loader_grants(loader);
    if (auto made = link->ask(sql); !made) return std::unexpected(std::move(made.error()));
    return {};
}

ExitCode make_registry(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    SqlSession session(invocation.deps, *program, "pg-capture init",
                       SqlSession::Access::read_write);
    const PipelineSpec& spec = session.spec();
    if (!spec.file) return report_error(invocation, no_files());
    const std::string loader{invocation.line.value("loader")};
    if (auto made = make_registry_tables(spec, session, invocation.deps.clock, loader); !made) {
        Error error = std::move(made.error());
        if (error.category == Error::Category::permission) {
            error.hint =
                "run what pg-capture init --sql --registry prints as a role with more rights";
        }
        return report_error(invocation, error);
    }
    const std::string where = file_registry_config(spec).database;
    if (invocation.json()) {
        std::string text = "{";
        append_json_field(text, "database", where);
        invocation.deps.console.out(text +
                                    fmt::format(",\"registry_version\":{}}}\n", kRegistryVersion));
        return ExitCode::done;
    }
    invocation.deps.console.out(fmt::format(
        "The registry of files is in the schema cdc_registry of database {}.\n", where));
    return ExitCode::done;
}

// -- the event trigger ----------------------------------------------------------------------

Error trigger_refused(Error error, bool removes, const std::string& database) {
    if (error.category != Error::Category::permission) return error;
    return std::move(error).with_hint(
        fmt::format("event triggers are for superusers: pg-capture init --sql --ddl{} | psql -d {}",
                    removes ? " --remove" : "", database));
}

// The server's version.
Result<int> change_trigger(SqlSession& session, bool removes) {
    auto link = session.connect();
    if (!link) return std::unexpected(std::move(link.error()));
    const auto done = link->ask(removes ? ddl_trigger_removal() : ddl_trigger_statement());
    if (!done) {
        return std::unexpected(
            trigger_refused(done.error(), removes, session.spec().postgres.connection.database));
    }
    return link->link().server_version();
}

ExitCode change_ddl_trigger(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    const bool removes = invocation.line.has("remove");
    SqlSession session(invocation.deps, *program, "pg-capture init",
                       SqlSession::Access::read_write);
    const auto version = change_trigger(session, removes);
    if (!version) return report_error(invocation, version.error());
    const bool has_messages = *version >= kDdlMessagesSince;
    const std::string& database = session.spec().postgres.connection.database;
    if (invocation.json()) {
        std::string text = "{";
        append_json_field(text, "database", database);
        text += removes ? ",\"ddl_trigger_version\":null"s
                        : fmt::format(",\"ddl_trigger_version\":{}", kDdlTriggerVersion);
        if (!removes && !has_messages) {
            text += ',';
            append_json_field(text, "table", kDdlTable);
        }
        invocation.deps.console.out(text + "}\n");
        return ExitCode::done;
    }
    invocation.deps.console.out(
        removes ? fmt::format("DDL in database {} is not reported any more.\n", database)
        : has_messages
            ? fmt::format("An event trigger reports DDL in database {} from now on.\n", database)
            : fmt::format("An event trigger notes DDL in database {} in the table {} from now on, "
                          "which comes with the stream where it is captured.\n",
                          database, kDdlTable));
    return ExitCode::done;
}

// -- for somebody with more rights than the configured role has -------------------------------

ExitCode print_ddl_trigger(Invocation& invocation) {
    const bool removes = invocation.line.has("remove");
    invocation.deps.console.out(
        "\\set ON_ERROR_STOP on\n" +
        (removes ? "-- Removes what pg-capture init --ddl has installed.\n" + ddl_trigger_removal()
                 : "-- Reports statements to pg-capture that change tables and types, in this "
                   "database. Removed by\n-- pg-capture init --ddl --remove\n" +
                       ddl_trigger_statement()));
    return ExitCode::done;
}

ExitCode print_preparation(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::names);
    if (!program) return program.error();
    const PipelineSpec spec = pipeline_spec(program->settings, invocation.deps.files);
    const std::string loader{invocation.line.value("loader")};
    const bool only_registry = invocation.line.has("registry");
    if (!spec.file && (only_registry || !loader.empty()))
        return report_error(invocation, no_files());
    std::string sql = only_registry ? std::string{} : preparation_sql(spec.postgres);
    if (only_registry || (spec.file && spec.file->registry_is_captured_database)) {
        sql += registry_sql(spec, loader);
    } else if (spec.file) {
        sql +=
            "\n-- The registry of files is in another database: pg-capture init --sql --registry\n";
    }
    invocation.deps.console.out(sql);
    return ExitCode::done;
}

// -- an example -----------------------------------------------------------------------------

ExitCode write_example(Invocation& invocation) {
    const auto& arguments = invocation.line.arguments;
    if (arguments.size() > 1) refuse(invocation, arguments[1], "init writes one file");
    const std::string path = arguments.empty() ? "pg-capture.yaml" : arguments.front();
    const bool toml = path.ends_with(".toml");
    if (!toml && !path.ends_with(".yaml") && !path.ends_with(".yml")) {
        refuse(invocation, path, "the name must end in .yaml, .yml or .toml");
    }
    if (refused(invocation)) return ExitCode::configuration;
    const auto present = invocation.deps.files.read(path);
    if (!present) return report_error(invocation, present.error());
    if (present->has_value()) {
        return report_error(invocation, stop(Error::Category::configuration,
                                             path + " is already there; it is left as it is")
                                            .with_hint("name another file, or remove that one"));
    }
    const auto written = invocation.deps.files.replace(
        path, example(toml ? ExampleFormat::toml : ExampleFormat::yaml));
    if (!written) return report_error(invocation, written.error());
    invocation.deps.console.out(fmt::format(
        "{0} is written: every option with its default and a word about it.\nNext: fill in the "
        "connection, then\n\n  pg-capture check -c {0}        shows what PostgreSQL still needs\n  "
        "pg-capture init --sql -c {0}   what somebody with more rights has to run\n  pg-capture "
        "run -c {0}          follows the database\n",
        path));
    return ExitCode::done;
}

}  // namespace

ExitCode run_init(Invocation& invocation) {
    const CommandLine& line = invocation.line;
    check_flags(invocation);
    if (has_any(line) && refused(invocation)) return ExitCode::configuration;
    if (line.has("sql") && line.has("ddl")) return print_ddl_trigger(invocation);
    if (line.has("sql")) return print_preparation(invocation);
    if (line.has("ddl")) return change_ddl_trigger(invocation);
    if (line.has("registry")) return make_registry(invocation);
    return write_example(invocation);
}

}  // namespace pgc
