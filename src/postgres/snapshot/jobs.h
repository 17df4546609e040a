// The snapshots under way, and the requests to change them. What of each is left: progress.h.
//
// The revision changes whenever what is stored of them does. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "core/snapshot.h"
#include "observe/log.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/reports.h"
#include "postgres/snapshot/statements.h"

namespace pgc {

// Who made a request: somebody whom we know to have the right (the API's token, a signal table's
// grants), or anybody at all: every role may emit logical messages. Ourselves: what nobody would
// request again is never refused.
enum class RequestedBy : std::uint8_t { trusted, message, ourselves };

// Of tables that have joined the publication, which we read by ourselves.
std::string joined_snapshot_id(WallTime now);
bool is_of_joined(const SnapshotJob& job) noexcept;

class SnapshotJobs {
public:
    // Of those that messages requested, under way at a time.
    static constexpr std::size_t kMessaged_max = 10;
    static constexpr std::size_t kTables_max = 100;         // of one of these
    static constexpr std::size_t kWhereBytes_max = 10'000;  // of any
    // Of all that are under way, as they are stored: half of what may be stored, so that what is
    // left of tables half done has room.
    static constexpr std::size_t kRequestedBytes_max = kProgressBytes_max / 2;

    // `reports` outlives this.
    SnapshotJobs(SnapshotReports& reports, Logger logger);

    // As write_progress() returned.
    [[nodiscard]] Result<void> restore(std::string_view progress);
    // What can't be done shows in the reports.
    // A message can't touch what no message has requested.
    // `tables`: those that the names of a start stand for, as far as that is known already.
    void request(const SnapshotCommand& command, RequestedBy by = RequestedBy::trusted,
                 std::set<Oid> tables = {});
    void end(const std::string& id, SnapshotReport::State state, std::string reason);

    // What becomes of tables of reloads; that a job of one is over is noted by itself.
    void note(ReloadChange::Step step, const SnapshotRequest& request, const TableAddress& table);
    // It is not read on: of a table half done, what was sent counts for nothing.
    void note_given_up(const SnapshotRequest& request, const OpenTable& open);
    bool has_reload_changes() const noexcept { return !changes_.empty(); }
    std::vector<ReloadChange> take_reload_changes() { return std::exchange(changes_, {}); }

    SnapshotJob* find(std::string_view id);
    const SnapshotJob* find(std::string_view id) const;
    std::vector<SnapshotJob>& all() noexcept { return jobs_; }
    const std::vector<SnapshotJob>& all() const noexcept { return jobs_; }

    bool empty() const noexcept { return jobs_.empty(); }
    bool all_paused() const noexcept;
    // One of everything is under way, and not paused.
    bool whole() const noexcept;

    std::uint64_t revision() const noexcept { return revision_; }
    void changed() noexcept { ++revision_; }

private:
    void start(const SnapshotRequest& request, RequestedBy by, std::set<Oid> tables);
    bool may_start(const SnapshotRequest& request);
    bool has_room(const SnapshotRequest& request);
    void change(const std::string& id, SnapshotCommand::Verb verb, RequestedBy by);
    std::vector<std::string> requested(const SnapshotRequest& request) const;

    SnapshotReports& reports_;
    const Logger logger_;
    std::vector<SnapshotJob> jobs_;
    std::uint64_t revision_ = 0;
    std::optional<std::uint64_t> measured_at_;  // a revision, whose jobs without tables half done
    std::size_t measured_bytes_ = 0;            // are stored in so many bytes
    std::vector<ReloadChange> changes_;
    bool reported_many_ = false;  // once for each time there are too many
};

}  // namespace pgc
