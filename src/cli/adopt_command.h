// pg-capture adopt: takes a slot over for which no position is stored, and makes the store where
// that is missing. Where the slot stands is stored, and whether a snapshot is to follow.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_adopt(Invocation& invocation);

}  // namespace pgc
