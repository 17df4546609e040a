// Whether a start reads the rows that are there already. Pure.
//
//                 initial   when_needed   always, only             never
//   no position   all       all           all                      nothing
//   stored        the rest  the rest      the rest; without one    the rest
//                                         all, once a process
//   lost          (stops)   all           (stops)                  (stops)
//
// What has begun is finished, or cancelled on request: also with `never`, where it was requested.
// "No position": none is stored, whoever made the slot. Nobody knows then which of the rows that
// were there before it have ever been sent, and we may have died between making the slot and
// storing our first position. "Lost": the guard refused the stored position, and none is left.
#pragma once

#include <string>

#include "core/snapshot.h"
#include "pipeline/start_guard.h"

namespace pgc {

struct SnapshotOccasion {
    StartPlan::Because because = StartPlan::Because::stored;
    std::string left{};        // of a snapshot, as stored
    bool first_start = false;  // of this process
};

// As Source::start() takes it.
std::string snapshot_to_read(SnapshotMode mode, const SnapshotOccasion& occasion);

}  // namespace pgc
