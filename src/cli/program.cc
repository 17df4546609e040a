#include "cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/error_output.h"
#include "cli/options.h"
#include "format/csv/options.h"
#include "format/debezium/options.h"
#include "format/flat/options.h"
#include "format/options.h"
#include "format/registry/options.h"
#include "kafka/connection_options.h"
#include "pgclient/connection_options.h"
#include "pipeline/options.h"
#include "postgres/options.h"
#include "server/options.h"
#include "sink/console/options.h"
#include "sink/file/options.h"
#include "sink/file/retention_options.h"
#include "sink/kafka/options.h"

namespace pgc {
namespace {

constexpr std::string_view kLogVariable = "PG_CAPTURE_LOG";

std::vector<OptionTable> all_tables() {
    std::vector<OptionTable> tables{kPipelineOptions, kProgramOptions, kStateOptions,
                                    kPostgresConnectionOptions};
    for (const OptionTable& table : postgres_option_tables()) tables.push_back(table);
    for (const OptionTable& table : kafka_connection_tables()) tables.push_back(table);
    for (const OptionTable& table : kafka_option_tables()) tables.push_back(table);
    tables.insert(tables.end(),
                  {kFormatOptions, kCsvOptions, kDebeziumOptions, kFlatOptions, kRegistryOptions,
                   kFileSinkOptions, kFileRetentionOptions, kConsoleSinkOptions,
                   kReplicationOptions, kMemoryOptions, server_options(), kLoggingOptions});
    return tables;
}

constexpr std::array kCommonFlags = {
    Flag{.name = "config",
         .letter = 'c',
         .value_name = "FILE",
         .help = "configuration, .yaml or .toml"},
    Flag{.name = "json-logs",
         .letter = 'j',
         .help = "log lines as JSON objects",
         .sets_path = "logging.format",
         .sets_value = "json"},
    Flag{.name = "verbose",
         .letter = 'v',
         .help = "log more: level debug",
         .sets_path = "logging.level",
         .sets_value = "debug"},
    Flag{.name = "output",
         .value_name = kOutputs.all(),
         .words = kOutputs.all(),
         .help = "results for people or for programs"},
    Flag{.name = "help", .letter = 'h', .help = "this text"},
    Flag{.name = "version", .letter = 'V', .help = "the version"},
};

LogLevels levels_of(const Settings& settings) {
    LogLevels levels;
    levels.level = settings.choice("logging.level", kLogLevels);
    for (const auto& [module, word] : settings.map("logging.modules")) {
        if (const auto level = parse_log_level(word)) levels.modules[module] = *level;
    }
    return levels;
}

// Takes PG_CAPTURE_LOG out of the environment: it stands for two options, not for one.
std::string take_log_variable(Deps& deps) {
    const auto found = deps.environment.find(kLogVariable);
    if (found == deps.environment.end()) return {};
    std::string text = std::move(found->second);
    deps.environment.erase(found);
    return text;
}

// Whoever has given one will wonder.
void note_unread_uri(const Environment& environment, Errors& errors) {
    const std::string_view variable = unread_uri(environment);
    const bool wondering = std::ranges::any_of(
        errors, [](const ConfigError& e) { return e.key.starts_with("postgres."); });
    if (variable.empty() || !wondering) return;
    errors.add({.where = fmt::format("environment {}", variable),
                .key = {},
                .reason = "a connection URI is not read",
                .nearest = {},
                .hint = "give its parts as PG_HOST, PG_PORT, PG_DATABASE, PG_USERNAME and "
                        "PG_PASSWORD"});
}

}  // namespace

std::string_view unread_uri(const Environment& environment) {
    for (const std::string_view name : {"PG_URL", "DATABASE_URL", "POSTGRES_URL", "PG_URI"}) {
        if (environment.contains(name)) return name;
    }
    return {};
}

const Declarations& declarations() {
    static const Declarations all{all_tables()};
    return all;
}

std::span<const Flag> common_flags() {
    return kCommonFlags;
}

std::expected<Program, ExitCode> load_program(Invocation& invocation, Needs needs) {
    Deps& deps = invocation.deps;
    const std::string log_words = take_log_variable(deps);
    auto settings = load(declarations(),
                         {.file = invocation.line.value("config"),
                          .environment = deps.environment,
                          .command_line = invocation.line,
                          .conditional = needs == Needs::everything,
                          .not_needed = needs == Needs::names ? "postgres.password" : ""},
                         deps.files);
    Errors errors;
    if (!settings) {
        errors = settings.error();
        note_unread_uri(deps.environment, errors);
    }
    const auto levels = parse_log_levels(log_words, settings ? levels_of(*settings) : LogLevels{});
    if (!levels) {
        errors.add({.where = fmt::format("environment {}", kLogVariable),
                    .key = {},
                    .reason = levels.error().what,
                    .nearest = {},
                    .hint = levels.error().hint});
    }
    if (!errors.empty()) return std::unexpected(report_error(deps, errors));
    LogOptions logs{.levels = *levels};
    logs.format = settings->choice("logging.format", kLogFormats);
    if (logs.format == LogFormat::json && !invocation.json())
        deps.error_output = ErrorOutput::log_json;
    return Program{std::move(*settings), std::move(logs)};
}

}  // namespace pgc
