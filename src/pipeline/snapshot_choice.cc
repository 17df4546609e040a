#include "pipeline/snapshot_choice.h"

namespace pgc {

std::string snapshot_to_read(SnapshotMode mode, const SnapshotOccasion& occasion) {
    using Because = StartPlan::Because;
    std::string all{kWholeSnapshot};
    const bool stored =
        occasion.because == Because::stored || occasion.because == Because::promoted;
    if (!stored) return mode == SnapshotMode::never ? std::string{} : all;
    if (!occasion.left.empty() || mode == SnapshotMode::never) return occasion.left;
    const bool each_time = mode == SnapshotMode::always || mode == SnapshotMode::only;
    return each_time && occasion.first_start ? all : std::string{};
}

}  // namespace pgc
