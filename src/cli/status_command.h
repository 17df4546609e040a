// pg-capture status: what a running instance says of itself.
#pragma once

#include <string>

#include "base/clock.h"
#include "cli/command.h"
#include "observe/status.h"

namespace pgc {

ExitCode run_status(Invocation& invocation);

// For people: aligned lines.
std::string status_text(const StatusSnapshot& status, WallTime now);

}  // namespace pgc
