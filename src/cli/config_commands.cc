#include "cli/config_commands.h"

#include "cli/error_output.h"
#include "cli/program.h"
#include "config/reference.h"

namespace pgc {
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

}  // namespace pgc
