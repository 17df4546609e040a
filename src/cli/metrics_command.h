// pg-capture metrics: every metric there is, as the reference page shows it.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_metrics(Invocation& invocation);

}  // namespace pgc
