// pg-capture config validate | show | schema | reference | example.
#pragma once

#include <cstdint>
#include <string>

#include "base/words.h"
#include "cli/command.h"

namespace pgc {

// What --format of `config example` says.
enum class ExampleFormat : std::uint8_t { yaml, toml, env };
inline constexpr auto kExampleFormats = words_for<ExampleFormat>(
    {{"yaml", ExampleFormat::yaml}, {"toml", ExampleFormat::toml}, {"env", ExampleFormat::env}});

ExitCode run_config_validate(Invocation& invocation);
ExitCode run_config_show(Invocation& invocation);
ExitCode run_config_schema(Invocation& invocation);
ExitCode run_config_reference(Invocation& invocation);
ExitCode run_config_example(Invocation& invocation);

// A command that needs no configuration still refuses a wrong command line: true, and it is said.
bool refused(Invocation& invocation);
// An annotated configuration.
std::string example(ExampleFormat format);

}  // namespace pgc
