// The snapshots under way, and what is ordered of them. What of each is left: progress.h.
//
// The revision changes whenever what is stored of them does. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/snapshot.h"
#include "observe/log.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/reports.h"

namespace pgc {

class SnapshotWorks {
public:
    // `reports` outlives this.
    SnapshotWorks(SnapshotReports& reports, Logger logger);

    // As write_progress() told.
    [[nodiscard]] Result<void> take_up(std::string_view progress);
    // What can't be done shows in the reports.
    void order(const SnapshotOrder& order);
    void end(const std::string& id, SnapshotReport::State state, std::string reason);

    SnapshotWork* find(std::string_view id);
    const SnapshotWork* find(std::string_view id) const;
    std::vector<SnapshotWork>& all() noexcept { return works_; }
    const std::vector<SnapshotWork>& all() const noexcept { return works_; }

    bool empty() const noexcept { return works_.empty(); }
    bool all_paused() const noexcept;
    // One of everything is under way, and not paused.
    bool whole() const noexcept;

    std::uint64_t revision() const noexcept { return revision_; }
    void changed() noexcept { ++revision_; }

private:
    void start(const SnapshotRequest& request);
    void change(const std::string& id, SnapshotOrder::Command command);
    std::vector<std::string> ordered(const SnapshotRequest& request) const;

    SnapshotReports& reports_;
    const Logger logger_;
    std::vector<SnapshotWork> works_;
    std::uint64_t revision_ = 0;
};

}  // namespace pgc
