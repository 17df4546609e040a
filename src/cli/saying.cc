#include "cli/saying.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "observe/json_text.h"
#include "observe/log_format.h"

namespace pgc {
namespace {

constexpr std::string_view kModule = "pg-capture";

void log_line(World& world, LogLevel level, std::string_view message,
              const std::vector<LogField>& fields) {
    world.console.err(format_json({.at = world.clock.wall(),
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
    append_json_field(text, "mend", error.mend);
    return text + "}}\n";
}

void log_error(World& world, const Error& error) {
    std::vector<LogField> fields{{"category", name(error.category)}};
    add(fields, "where", error.where);
    add(fields, "mend", error.mend);
    log_line(world, LogLevel::error, error.what, fields);
}

void log_error(World& world, const ConfigError& error) {
    std::vector<LogField> fields{{"category", name(Error::Category::configuration)}};
    add(fields, "where", error.where);
    add(fields, "key", error.key);
    add(fields, "nearest", error.nearest);
    add(fields, "mend", error.mend);
    log_line(world, LogLevel::error, error.reason, fields);
}

// "-j", also among other switches in one word: "-vj".
bool is_switch_j(std::string_view argument) {
    return argument.starts_with('-') && argument.contains('j') &&
           argument.find_first_not_of("jvhV", 1) == std::string_view::npos;
}

}  // namespace

Saying saying_of(std::span<const std::string> arguments, const Environment& environment) {
    const auto given = environment.find("PG_CAPTURE_LOGGING_FORMAT");
    bool log = given != environment.end() && given->second == "json";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const std::string_view next =
            i + 1 < arguments.size() ? std::string_view{arguments[i + 1]} : std::string_view{};
        if (argument == "--output=json" || (argument == "--output" && next == "json")) {
            return Saying::result_json;
        }
        log = log || argument == "--json-logs" || is_switch_j(argument) ||
              argument == "--logging.format=json" ||
              (argument == "--logging.format" && next == "json");
    }
    return log ? Saying::log_json : Saying::text;
}

ExitCode tell(World& world, const Error& error) {
    switch (world.saying) {
        case Saying::text: world.console.err("pg-capture: " + describe(error) + "\n"); break;
        case Saying::result_json: world.console.err(error_json(error)); break;
        case Saying::log_json: log_error(world, error); break;
    }
    return exit_code(error.category);
}

ExitCode tell(Invocation& invocation, const Error& error) {
    return tell(invocation.world, error);
}

ExitCode tell(World& world, const Errors& errors) {
    switch (world.saying) {
        case Saying::text: world.console.err(describe(errors)); break;
        case Saying::result_json: world.console.err(to_json(errors) + "\n"); break;
        case Saying::log_json:
            for (const ConfigError& error : errors) log_error(world, error);
            break;
    }
    return ExitCode::configuration;
}

ExitCode tell_usage(World& world, std::string what) {
    return tell(world, stop(Error::Category::configuration, std::move(what)));
}

void tell_note(World& world, std::string_view what) {
    switch (world.saying) {
        case Saying::text: world.console.err("pg-capture: " + std::string{what} + "\n"); break;
        case Saying::result_json:
        case Saying::log_json: log_line(world, LogLevel::info, what, {}); break;
    }
}

}  // namespace pgc
