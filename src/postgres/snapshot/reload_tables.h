// Which tables a reload means, as soon as it is ordered: for what is said of each of them from then
// on (ReloadChange), and so that whoever ordered it hears at once that there are none.
//
//   ordered ─▶ asked of the catalog ─▶ known: its tables are `ordered`, and it may be read
//                                  └─▶ refused: none of them is captured, or another reload has one
//
// Nothing here is stored: of a reload that was ordered before, it is asked again, and reported
// again.
//
// Threads: one, the owner's. All references outlive it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/wait.h"
#include "observe/log.h"
#include "pgclient/query_runner.h"
#include "postgres/relations/relations.h"
#include "postgres/setup/source_setup.h"
#include "postgres/snapshot/jobs.h"
#include "postgres/snapshot/reports.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

class ReloadTables {
public:
    static constexpr Duration kAgain = std::chrono::seconds{1};  // after a refusal by the server

    struct Deps {
        SnapshotJobs& jobs;
        SnapshotReports& reports;
        const Relations& relations;
        const StreamPlan& plan;
        LinkFactory& links;
        Logger logger;
    };
    explicit ReloadTables(Deps deps) : deps_(std::move(deps)) {}

    // Asks for those that are not known, and takes answers.
    void step(Instant now);
    // It is no reload, or its tables are known.
    bool may_read(const SnapshotJob& job) const {
        return !job.request.reload || known_.contains(job.request.id);
    }
    // All jobs that are not paused wait for an answer.
    bool keep_all_waiting() const;
    void wants(Wants& wants) const;

private:
    using Shown = std::map<Oid, TableAddress>;  // of tables that are to be read

    void take(const std::vector<SnapshotTable>& tables);
    void decide(SnapshotJob& job, const std::vector<SnapshotTable>& tables);
    Shown shown(const SnapshotJob& job, const std::vector<SnapshotTable>& tables,
                std::set<Oid>* meant) const;
    static const SnapshotTable* part_of_table(const SnapshotJob& job,
                                              const std::vector<SnapshotTable>& tables);
    // Another reload that has one of these, as words.
    std::string conflict(const SnapshotJob& job, const Shown& shown,
                         const std::vector<SnapshotTable>& tables) const;

    const Deps deps_;
    std::optional<QueryRunner> query_;  // while there is something to ask
    std::set<std::string> asked_for_;   // jobs
    std::set<std::string> known_;
    Instant again_at_{};
};

}  // namespace pgc
