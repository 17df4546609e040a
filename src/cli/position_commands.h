// pg-capture position show: what is stored, beside where the slot stands, and what a start makes of
// that. position reset: takes the stored position away, with --drop-slot the slot as well, and says
// what that costs; without --yes it does no more than say so.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_position_show(Invocation& invocation);
ExitCode run_position_reset(Invocation& invocation);

}  // namespace pgc
