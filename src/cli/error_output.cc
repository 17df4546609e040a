#include "cli/error_output.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "observe/json_text.h"
#include "observe/log_format.h"

namespace pgc {
namespace {

constexpr std::string_view kModule = "pg-capture";

void log_line(Deps& deps, LogLevel level, std::string_view message,
              const std::vector<LogField>& fields) {
    deps.console.err(format_json({.at = deps.clock.wall(),
                                  .level = level,
                                  .module = kModule,
                                  .message = message,
                                  .fields = fields}));
}

void add(std::vector<LogField>& fields, std::string_view key, std::string_view text) {
    if (!text.empty()) fields.push_back({key, text});
}

std::string error_json(const Error& error) {
    std::string text = "{\"error\":{";
    append_json_field(text, "category", name(error.category));
    text += ',';
    append_json_field(text, "what", error.what);
    text += ',';
    append_json_field(text, "where", error.where);
    text += ',';
    append_json_field(text, "hint", error.hint);
    return text + "}}\n";
}

void log_error(Deps& deps, const Error& error) {
    std::vector<LogField> fields{{"category", name(error.category)}};
    add(fields, "where", error.where);
    add(fields, "hint", error.hint);
    log_line(deps, LogLevel::error, error.what, fields);
}

void log_error(Deps& deps, const ConfigError& error) {
    std::vector<LogField> fields{{"category", name(Error::Category::configuration)}};
    add(fields, "where", error.where);
    add(fields, "key", error.key);
    add(fields, "nearest", error.nearest);
    add(fields, "hint", error.hint);
    log_line(deps, LogLevel::error, error.reason, fields);
}

// "-j", also among other switches in one word: "-vj".
bool is_switch_j(std::string_view argument) {
    return argument.starts_with('-') && argument.contains('j') &&
           argument.find_first_not_of("jvhV", 1) == std::string_view::npos;
}

}  // namespace

ErrorOutput error_output_of(std::span<const std::string> arguments,
                            const Environment& environment) {
    const auto given = environment.find("PG_CAPTURE_LOGGING_FORMAT");
    bool log = given != environment.end() && given->second == "json";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const std::string_view next =
            i + 1 < arguments.size() ? std::string_view{arguments[i + 1]} : std::string_view{};
        if (argument == "--output=json" || (argument == "--output" && next == "json")) {
            return ErrorOutput::result_json;
        }
        log = log || argument == "--json-logs" || is_switch_j(argument) ||
              argument == "--logging.format=json" ||
              (argument == "--logging.format" && next == "json");
    }
    return log ? ErrorOutput::log_json : ErrorOutput::text;
}

ExitCode report_error(Deps& deps, const Error& error) {
    switch (deps.error_output) {
        case ErrorOutput::text: deps.console.err("pg-capture: " + describe(error) + "\n"); break;
        case ErrorOutput::result_json: deps.console.err(error_json(error)); break;
        case ErrorOutput::log_json: log_error(deps, error); break;
    }
    return exit_code(error.category);
}

ExitCode report_error(Invocation& invocation, const Error& error) {
    return report_error(invocation.deps, error);
}

ExitCode report_error(Deps& deps, const Errors& errors) {
    switch (deps.error_output) {
        case ErrorOutput::text: deps.console.err(describe(errors)); break;
        case ErrorOutput::result_json: deps.console.err(to_json(errors) + "\n"); break;
        case ErrorOutput::log_json:
            for (const ConfigError& error : errors) log_error(deps, error);
            break;
    }
    return ExitCode::configuration;
}

ExitCode report_usage_error(Deps& deps, std::string what) {
    return report_error(deps, stop(Error::Category::configuration, std::move(what)));
}

void print_note(Deps& deps, std::string_view what) {
    switch (deps.error_output) {
        case ErrorOutput::text: deps.console.err("pg-capture: " + std::string{what} + "\n"); break;
        case ErrorOutput::result_json:
        case ErrorOutput::log_json: log_line(deps, LogLevel::info, what, {}); break;
    }
}

}  // namespace pgc
