#include "pipeline/snapshot_requests.h"

#include <utility>

namespace pgc {

bool SnapshotRequests::post(SnapshotCommand command) {
    const std::scoped_lock lock(mutex_);
    if (commands_.size() >= kRequests_max) return false;
    commands_.push_back(std::move(command));
    wake_.notify();
    return true;
}

SnapshotReport SnapshotRequests::report() const {
    const std::scoped_lock lock(mutex_);
    return report_;
}

std::vector<SnapshotCommand> SnapshotRequests::take() {
    const std::scoped_lock lock(mutex_);
    wake_.clear();
    return std::exchange(commands_, {});
}

void SnapshotRequests::publish(SnapshotReport report) {
    const std::scoped_lock lock(mutex_);
    report_ = std::move(report);
}

}  // namespace pgc
