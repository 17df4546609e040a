// Requests for snapshots, and their progress:
//
//   GET  /snapshots            all that are under way and the last that ended, as JSON
//   GET  /snapshots/ID         one of them
//   POST /snapshots            requests one (snapshot_request.h): 202 with its id
//   POST /snapshots/ID/pause   likewise resume and cancel: 202
//
// Of several pipelines each has these below its own path (served_pipeline.h).
//
// A POST needs the token (token_guard.h). 202: the request is left for the pipeline; what becomes
// of it shows in the report. Until it does it is shown as waiting. A refusal is
// {"error":…,"hint":…}: 400 for a request that is not valid, 404 for an unknown id, 409 for one
// that is under way already or over, 503 while too many requests wait.
#pragma once

#include "base/clock.h"
#include "config/settings.h"
#include "http/router.h"
#include "observe/log.h"
#include "server/served_pipeline.h"

namespace pgc {

struct SnapshotRoutes {
    const Clock& clock;  // outlives the router
    SecretSource token;  // of http.token
    Logger log;
};
void add_snapshot_routes(Router& router, const ServedPipelines& pipelines,
                         const SnapshotRoutes& deps);

}  // namespace pgc
