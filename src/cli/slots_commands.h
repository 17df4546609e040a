// pg-capture slots list | drop.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_slots_list(Invocation& invocation);
ExitCode run_slots_drop(Invocation& invocation);

}  // namespace pgc
