// The snapshots under way, and what is ordered of them. What of each is left: progress.h.
//
// The revision changes whenever what is stored of them does. Threads: one, the owner's.
#pragma once

#include <cstddef>
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

// Who gave an order: somebody whom we know to have the right (the API's token, a signal table's
// grants, ourselves), or anybody at all: every role may emit logical messages.
enum class OrderedBy : std::uint8_t { trusted, message };

class SnapshotWorks {
public:
    // Of those that messages ordered, under way at a time.
    static constexpr std::size_t kMessaged_max = 10;
    static constexpr std::size_t kTables_max = 100;         // of one of these
    static constexpr std::size_t kWhereBytes_max = 10'000;  // of any

    // `reports` outlives this.
    SnapshotWorks(SnapshotReports& reports, Logger logger);

    // As write_progress() told.
    [[nodiscard]] Result<void> take_up(std::string_view progress);
    // What can't be done shows in the reports.
    // A message can't touch what no message has ordered.
    void order(const SnapshotOrder& order, OrderedBy by = OrderedBy::trusted);
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
    void start(const SnapshotRequest& request, OrderedBy by);
    bool may_start(const SnapshotRequest& request);
    void change(const std::string& id, SnapshotOrder::Command command, OrderedBy by);
    std::vector<std::string> ordered(const SnapshotRequest& request) const;

    SnapshotReports& reports_;
    const Logger logger_;
    std::vector<SnapshotWork> works_;
    std::uint64_t revision_ = 0;
    bool told_many_ = false;  // once for each time there are too many
};

}  // namespace pgc
