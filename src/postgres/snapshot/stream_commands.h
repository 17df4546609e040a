// Commands for snapshots in a batch of the stream: its logical messages, and new rows of the signal
// table. What each has to look like: commands.h, markers.h.
//
// Pure. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "core/change.h"
#include "core/snapshot.h"
#include "postgres/options.h"
#include "postgres/snapshot/jobs.h"

namespace pgc {

struct StreamCommands {
    struct Found {
        SnapshotCommand command;
        RequestedBy by = RequestedBy::trusted;
    };
    std::vector<Found> commands;
    std::vector<std::string> faults;  // of what can't be understood: one clause each
};
// `has_messages`: some of the batch's changes are logical messages.
StreamCommands commands_in(const Batch& batch, const SnapshotConfig& config, bool has_messages);

}  // namespace pgc
