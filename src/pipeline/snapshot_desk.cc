#include "pipeline/snapshot_desk.h"

#include <utility>

namespace pgc {

bool SnapshotDesk::post(SnapshotOrder order) {
    const std::scoped_lock lock(mutex_);
    if (orders_.size() >= kOrders_max) return false;
    orders_.push_back(std::move(order));
    wake_.notify();
    return true;
}

SnapshotReport SnapshotDesk::report() const {
    const std::scoped_lock lock(mutex_);
    return report_;
}

std::vector<SnapshotOrder> SnapshotDesk::take() {
    const std::scoped_lock lock(mutex_);
    wake_.clear();
    return std::exchange(orders_, {});
}

void SnapshotDesk::tell(SnapshotReport report) {
    const std::scoped_lock lock(mutex_);
    report_ = std::move(report);
}

}  // namespace pgc
