// pg-capture check: the doctor.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_check(Invocation& invocation);

}  // namespace pgc
