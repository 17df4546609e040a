// pg-capture init: writes an example of a configuration, prints what a DBA has to run for one
// (--sql), or does a part of that itself (--registry, --ddl).
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_init(Invocation& invocation);

}  // namespace pgc
