// What probes, scrapers and people ask:
//
//   GET /metrics   Prometheus' text format
//   GET /livez     200 while the pipeline's loop turns, else 503: restart the process
//   GET /readyz    200 while it streams, else 503
//   GET /healthz   the same and more as JSON; 200 when live, else 503
#pragma once

#include "http/router.h"
#include "observe/metrics.h"
#include "observe/status.h"

namespace pgc {

// Both outlive the router.
void add_health_routes(Router& router, const Status& status, Metrics& metrics);

}  // namespace pgc
