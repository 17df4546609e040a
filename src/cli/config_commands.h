// pg-capture config validate | show | schema | reference | example, and init.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_config_validate(Invocation& invocation);
ExitCode run_config_show(Invocation& invocation);
ExitCode run_config_schema(Invocation& invocation);
ExitCode run_config_reference(Invocation& invocation);
ExitCode run_config_example(Invocation& invocation);
ExitCode run_init(Invocation& invocation);

}  // namespace pgc
