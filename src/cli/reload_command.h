// pg-capture reload TABLE…: asks a running instance to read whole tables again. It is a snapshot of
// that instance: snapshot list, wait and cancel know it.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_reload(Invocation& invocation);

}  // namespace pgc
