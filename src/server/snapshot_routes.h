// Orders of snapshots, and how they get on:
//
//   GET  /snapshots            all that are under way and the last that ended, as JSON
//   GET  /snapshots/ID         one of them
//   POST /snapshots            orders one (snapshot_order.h): 202 with its id
//   POST /snapshots/ID/pause   likewise resume and cancel: 202
//
// A POST needs the token (token_guard.h). 202: the order lies on the desk; what becomes of
// it shows in the report. Until it does it is shown as waiting. A refusal is
// {"error":…,"mend":…}: 400 for an order that is none, 404 for an unknown id, 409 for one
// that is under way already or over, 503 while too many orders wait.
#pragma once

#include "base/clock.h"
#include "config/settings.h"
#include "observe/log.h"
#include "pipeline/snapshot_desk.h"
#include "server/router.h"

namespace pgc {

struct SnapshotRoutes {
    SnapshotDesk& desk;  // outlives the router, like the clock
    const Clock& clock;
    SecretSource token;  // of http.token
    Logger log;
};
void add_snapshot_routes(Router& router, SnapshotRoutes with);

}  // namespace pgc
