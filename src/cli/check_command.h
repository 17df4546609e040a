// pg-capture check: every precondition, on both sides.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_check(Invocation& invocation);

}  // namespace pgc
