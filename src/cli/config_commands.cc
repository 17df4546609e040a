#include "cli/config_commands.h"

#include <fmt/format.h>

#include "cli/error_output.h"
#include "cli/pipeline_spec.h"
#include "cli/program.h"
#include "config/reference.h"
#include "postgres/check/preparation.h"

namespace pgc {
namespace {

// A command that needs no configuration still refuses a wrong command line.
bool refused(Invocation& invocation) {
    if (invocation.line.errors.empty()) return false;
    report_error(invocation.deps, invocation.line.errors);
    return true;
}

std::string example(ExampleFormat format) {
    switch (format) {
        case ExampleFormat::yaml: return example_yaml(declarations());
        case ExampleFormat::toml: return example_toml(declarations());
        case ExampleFormat::env: return example_environment(declarations());
    }
    return {};
}

}  // namespace

ExitCode run_config_validate(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    invocation.deps.console.out(invocation.json() ? "{\"errors\":[]}\n"
                                                  : "The configuration is valid.\n");
    return ExitCode::done;
}

ExitCode run_config_show(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    invocation.deps.console.out(invocation.json() ? show_json(program->settings) + "\n"
                                                  : show(program->settings));
    return ExitCode::done;
}

ExitCode run_config_schema(Invocation& invocation) {
    if (refused(invocation)) return ExitCode::configuration;
    invocation.deps.console.out(json_schema(declarations()));
    return ExitCode::done;
}

ExitCode run_config_reference(Invocation& invocation) {
    if (refused(invocation)) return ExitCode::configuration;
    invocation.deps.console.out(reference_markdown(declarations()));
    return ExitCode::done;
}

ExitCode run_config_example(Invocation& invocation) {
    if (refused(invocation)) return ExitCode::configuration;
    invocation.deps.console.out(example(
        kExampleFormats.find(invocation.line.value("format")).value_or(ExampleFormat::yaml)));
    return ExitCode::done;
}

namespace {

// For somebody with more rights than the configured role has.
ExitCode print_preparation(Invocation& invocation) {
    const auto& arguments = invocation.line.arguments;
    if (!arguments.empty()) {
        invocation.line.errors.add({.where = "command line",
                                    .key = arguments.front(),
                                    .reason = "with --sql nothing is written but to the output",
                                    .hint = "the configuration is named by -c"});
    }
    const auto program = load_program(invocation, Needs::names);
    if (!program) return program.error();
    invocation.deps.console.out(
        preparation_sql(pipeline_spec(program->settings, invocation.deps.files).postgres));
    return ExitCode::done;
}

}  // namespace

ExitCode run_init(Invocation& invocation) {
    if (invocation.line.has("sql")) return print_preparation(invocation);
    const auto& arguments = invocation.line.arguments;
    if (arguments.size() > 1) {
        invocation.line.errors.add(
            {.where = "command line", .key = arguments[1], .reason = "init writes one file"});
    }
    const std::string path = arguments.empty() ? "pg-capture.yaml" : arguments.front();
    const bool toml = path.ends_with(".toml");
    if (!toml && !path.ends_with(".yaml") && !path.ends_with(".yml")) {
        invocation.line.errors.add({.where = "command line",
                                    .key = path,
                                    .reason = "the name must end in .yaml, .yml or .toml"});
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

}  // namespace pgc
