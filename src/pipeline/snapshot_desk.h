// Where snapshots are ordered while a pipeline runs, and where it says how they get on.
//
// Whoever orders one (the HTTP server) leaves it here; the pipeline is woken, hands it to the
// source, and tells here what became of it. An order that a source can't carry out shows
// up in the report as failed, with the reason.
//
// Threads: any; every call takes one short lock.
#pragma once

#include <mutex>
#include <vector>

#include "base/wake.h"
#include "core/snapshot.h"

namespace pgc {

class SnapshotDesk {
public:
    static constexpr std::size_t kOrders_max = 100;

    // False: too many wait already.
    bool post(SnapshotOrder order);
    SnapshotReport report() const;

    // The pipeline's side: all orders that wait, oldest first.
    std::vector<SnapshotOrder> take();
    void tell(SnapshotReport report);
    // Readable while orders wait.
    int wake_fd() const noexcept { return wake_.fd(); }

private:
    Wake wake_;
    mutable std::mutex mutex_;
    // Protected by mutex_.
    std::vector<SnapshotOrder> orders_;
    SnapshotReport report_;
};

}  // namespace pgc
