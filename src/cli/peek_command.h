// pg-capture peek: the changes that wait in the slot, without consuming them. Reads the
// stream and confirms nothing, so the next reader gets them all again.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_peek(Invocation& invocation);

}  // namespace pgc
