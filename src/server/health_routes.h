// What probes, scrapers and people ask:
//
//   GET /metrics   Prometheus' text format
//   GET /livez     200 while the pipeline's loop turns, else 503: restart the process
//   GET /readyz    200 while it streams, else 503
//   GET /healthz   the same and more as JSON; 200 when live, else 503
//
// Of several pipelines these are for the process: live and ready when all are. The last three of
// each are below its own path (served_pipeline.h).
#pragma once

#include "http/router.h"
#include "server/served_pipeline.h"

namespace pgc {

void add_health_routes(Router& router, const ServedPipelines& pipelines);

}  // namespace pgc
