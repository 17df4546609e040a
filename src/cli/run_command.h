// pg-capture run: the daemon. Builds every part by name, runs one pipeline on this thread
// until a signal or an error that somebody has to fix.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_follow(Invocation& invocation);

}  // namespace pgc
