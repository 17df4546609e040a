// What a pipeline's status says, as metrics: set when somebody looks, so that they are never
// older than the status, and say so when something is not known.
//
// Threads: one at a time.
#pragma once

#include "observe/metrics.h"
#include "observe/status.h"

namespace pgc {

void publish(const StatusSnapshot& status, Metrics& metrics);

}  // namespace pgc
