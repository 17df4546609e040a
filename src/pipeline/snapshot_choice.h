// Whether a start reads the rows that are there already. Pure.
//
//                   initial   when_needed   always, only            never
//   new slot        all       all           all                     nothing
//   slot was there  nothing   all           all                     nothing
//   meant to be     all       all           all                     nothing
//   stored          the rest  the rest      the rest; without one   the rest
//                                           all, once a process
//   lost            (stops)   all           (stops)                 (stops)
//
// What has begun is finished, or cancelled by order: also with `never`, where it was ordered.
// "Slot was there": no position is stored, somebody else made the slot. "Meant to be": we died
// between making the slot and storing our first position (StoredPosition::snapshot). "Lost": the
// guard refused the stored position.
#pragma once

#include <string>

#include "core/snapshot.h"
#include "pipeline/start_guard.h"

namespace pgc {

struct SnapshotOccasion {
    StartPlan::Because because = StartPlan::Because::stored;
    std::string left{};        // of a snapshot, as stored
    bool meant = false;        // by a start that did not get further
    bool lost = false;         // a position was stored and can't be used
    bool first_start = false;  // of this process
};

// As Source::start() takes it.
std::string snapshot_to_read(SnapshotMode mode, const SnapshotOccasion& occasion);

}  // namespace pgc
