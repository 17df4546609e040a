// pg-capture config validate | show | schema | reference | example, and init.
#pragma once

#include <cstdint>

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
ExitCode run_init(Invocation& invocation);

}  // namespace pgc
