// The tables of one group, and for which of the jobs each is read.
//
// A table is in a group once: two READs of one row at one place could not be distinguished from two
// rows. A job whose table another one has is not over with this group. The tables stay until the
// next group begins, for rows of them may still be on their way.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "core/snapshot.h"
#include "observe/log.h"
#include "postgres/relations/relations.h"
#include "postgres/snapshot/jobs.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/reports.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

class GroupTables {
public:
    // All references outlive it.
    GroupTables(SnapshotJobs& jobs, SnapshotReports& reports, const Relations& relations,
                Logger logger);

    // Another group, its rows as of `as_of`: of the jobs that `may_read` says, what is left among
    // `tables`. `apart`: what is shown
    // as a table of which a job has read a part is not read for another one before it is done.
    void begin(const std::vector<SnapshotTable>& tables,
               const std::function<bool(const SnapshotJob&)>& may_read, bool apart, Lsn as_of);
    // Jobs of which nothing is read in this group, because others have begun their tables.
    const std::vector<std::string>& blocked() const noexcept { return blocked_; }
    // It is about to be read.
    void begins(const TableCopyState& table);
    std::size_t size() const noexcept { return tables_.size(); }
    // The id of the job that it is read for.
    const std::string& job_of(const TableCopyState& table) const {
        return tables_[table.place].job_id;
    }

    // The next one to be read, or to help with: unopened ones first, the largest of them. Without
    // `in_time` only what can't be put off: without a key a table is read whole or not at all.
    std::shared_ptr<TableCopyState> next(bool in_time) const;

    // What was cancelled, or has failed, is not read on.
    void drop_ended();
    // Of a job, nothing is to be read any more of what is shown as this table; of any table of it,
    // in this group or another.
    bool table_read(const std::string& job, Oid shown) const;
    bool all_read(const std::string& job) const;
    // Of the snapshot of everything: tables, as they are shown, of which groups before this one
    // sent rows.
    const std::set<Oid>& sent_before() const noexcept { return sent_; }

    // Those of which everything is durable are over.
    void finish_tables();
    bool has_ended() const noexcept { return !ended_.empty(); }
    // Those that ended since it was asked last, as they are shown.
    std::vector<SnapshotTableEnd> take_ended() { return std::exchange(ended_, {}); }
    // Jobs are over that this group began with all their tables, and of which none is left.
    void finish_jobs();

    // Some table is not over.
    bool left() const noexcept;
    // Of `shown`, a row with this key; without one, all rows.
    void read_again(Oid shown, const std::optional<Key>& key);
    // Of each table half done, what is left of it.
    void remember(std::vector<SnapshotJob>& jobs) const;
    // Adds the tables that are being read.
    void show(SnapshotReport& report) const;

private:
    struct TableJob {
        std::string job_id;  // its request's id
        std::shared_ptr<TableCopyState> table;
        bool over = false;
    };

    void note_end(const TableJob& table_job, bool whole);
    bool add(SnapshotJob& job, const std::vector<SnapshotTable>& tables);
    std::set<Oid> parts_of(const SnapshotJob& job, const TableFilter& named,
                           const std::vector<SnapshotTable>& tables) const;
    void drop_renamed(const std::vector<SnapshotTable>& tables);
    void note_begun(const std::vector<SnapshotTable>& tables);
    bool is_begun(const std::string& job, Oid shown) const;
    const std::string* half_done_by_another(Oid shown, const std::string& job) const;
    void forget(SnapshotJob& job, const SnapshotTable& table, std::string_view why);
    static bool is_read(const TableJob& table_job) noexcept;
    bool may_read(const TableJob& table_job, bool in_time) const;

    SnapshotJobs& jobs_;
    SnapshotReports& reports_;
    const Relations& relations_;
    const Logger logger_;
    std::vector<TableJob> tables_;  // TableCopyState::place is the index
    std::set<Oid> sent_;
    std::vector<SnapshotTableEnd> ended_;
    bool apart_ = false;
    Lsn as_of_;  // as its rows come
    std::vector<std::string> blocked_;
    // By job, what is shown as these: of which it had sent rows when the group began …
    std::map<std::string, std::set<Oid>> sent_of_;
    std::map<std::string, std::set<Oid>> half_done_;  // … and has some left
    std::vector<std::string> begun_;                  // jobs all of whose tables are among these
};

}  // namespace pgc
