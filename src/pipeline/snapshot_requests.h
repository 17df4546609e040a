// Where snapshots are requested while a pipeline runs, and where it shows their progress.
//
// Whoever requests one (the HTTP server) leaves it here; the pipeline is woken, hands it to the
// source, and publishes the result here. A command that a source can't carry out shows
// up in the report as failed, with the reason.
//
// Threads: any; every call takes one short lock.
#pragma once

#include <mutex>
#include <vector>

#include "base/wake.h"
#include "core/snapshot.h"

namespace pgc {

class SnapshotRequests {
public:
    static constexpr std::size_t kRequests_max = 100;

    // False: too many wait already.
    bool post(SnapshotCommand command);
    SnapshotReport report() const;

    // The pipeline's side: all commands that wait, oldest first.
    std::vector<SnapshotCommand> take();
    void publish(SnapshotReport report);
    // Readable while commands wait.
    int wake_fd() const noexcept { return wake_.fd(); }

private:
    Wake wake_;
    mutable std::mutex mutex_;
    // Protected by mutex_.
    std::vector<SnapshotCommand> commands_;
    SnapshotReport report_;
};

}  // namespace pgc
