// Reads rows that were there before the stream, each exactly as it was at one place of the log.
//
// How: the database's snapshot that comes with a slot shows what had committed before the
// slot's consistent point C, and nothing else (exporter.h). The stream is read up to C and stands
// there, with everything before C sent and nothing after it, while tables are read in that
// snapshot. Then it goes on. So every row comes after the changes that made it what it is,
// and before those that come later, and no row has to be compared with any change.
//
//             ┌───────────────────────── something is left, and it is time ─────────────────────┐
//             ▼                                                                                 │
//   idle ─▶ exporting ─▶ approaching ─▶ listing ─▶ reading ─▶ (idle) ──── the stream goes on ────┘
//             │ the stream waits       │ at C       │ `readers` connections, chunk by chunk
//             │ for a moment           │ it stands  │
//             └─ slow: it goes on      └────────────┘
//
//   One round of this is a group. The first one, of a new slot, takes that slot's own snapshot:
//   the stream has not begun and stands at C by itself. A snapshot of everything is read in one
//   group, as long as the database may hold one snapshot (hold_secs). One that was asked for
//   while the stream runs is read in many short groups, and the stream has its share of the
//   time between them (share).
//
// What is durable is remembered as what is left (progress.h). After a crash the rest is read in
// a later group, at a later C: nothing of the first one is needed any more.
//
// A crash makes at most chunk_rows rows for each reader be read again: so many may be read or
// asked for and not be stored as read. Statements ask for half of that, so that a reader need not
// wait for the store between two.
//
// Rows come in batches of kSnapshotLane at Position (C - 1, n), n counting the group's rows. A
// commit may start exactly at C, and counts its rows from 1 as well: shown at C, a row would hide
// it from a consumer that keeps the highest place of a key. No record of the log starts or ends in
// the byte before another one, so at C - 1 a row comes after all that it shows and before all else.
//
// Nothing blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "core/snapshot.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/relations/relations.h"
#include "postgres/setup/source_setup.h"
#include "postgres/snapshot/exporter.h"
#include "postgres/snapshot/jobs.h"
#include "postgres/snapshot/pace.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/reports.h"
#include "postgres/snapshot/table_copier.h"

namespace pgc {

class Snapshot {
public:
    struct Deps {
        const PostgresConfig& config;
        const StreamPlan& plan;
        LinkFactory& links;
        const Clock& clock;
        Relations& relations;
        const SourceCarryOver& carry_over;
        Metrics& metrics;
        Logger logger;
    };
    // All references must outlive it.
    explicit Snapshot(Deps deps);
    ~Snapshot();

    // What is left, as progress() returned it before.
    [[nodiscard]] Result<void> restore(std::string_view progress);
    // The first group, of a snapshot that a new slot has exported. Requires left().
    void begin_at(ExportedSnapshot exported, Instant now);

    void request(const SnapshotCommand& command, RequestedBy by = RequestedBy::trusted,
                 std::set<Oid> tables = {});  // as SnapshotJobs::request()

    // Where the stream is.
    struct Stream {
        Lsn begun;              // commit of the transaction that began last
        bool standing = false;  // between two, with everything before hold_at() sent
    };
    // Goes on. An Error ends the source.
    [[nodiscard]] Result<void> step(const Stream& stream, Instant now);
    // Nothing that commits here or after may be taken from the stream; none: it may run.
    std::optional<Lsn> hold_at() const noexcept { return hold_; }
    // Rows are being read: the stream stands.
    bool reading() const noexcept { return state_ == State::listing || state_ == State::reading; }
    // Between groups.
    bool resting() const noexcept { return state_ == State::idle; }

    // Appends rows that have arrived. True when more may be at hand.
    [[nodiscard]] Result<bool> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes,
                                    Instant now);
    void durable(Position position);
    // As many rows are durable and not stored as a statement reads, or a reader waits for that.
    bool is_due() const;
    // progress() as it was at this revision is stored.
    void stored(std::uint64_t revision);

    bool left() const noexcept { return !jobs_.empty(); }

    // Some table is half done: the stream is to be watched for rows that move().
    bool watches() const noexcept;
    // Changes of a table half done come by this key. If it is not the one that orders the table, no
    // move() can be noticed: the table is read again.
    void changes_come_by(const Relation& relation);
    // A change gave a row a new key and left out values that did not change. If it moved from
    // what is left into what was read, nobody would ever send these: so it is read once more.
    void move(const Change& change);

    // A snapshot of everything is under way, and not paused.
    bool whole() const noexcept { return jobs_.whole(); }
    // One is, and nothing of any table is remembered as read.
    bool has_all_before_it() const noexcept;
    std::string progress() const;
    std::uint64_t revision() const noexcept { return jobs_.revision(); }
    SnapshotReport report() const;

    void wants(Wants& wants, bool reading) const;

private:
    enum class State : std::uint8_t { idle, exporting, approaching, listing, reading };

    // A table of one of the jobs, in this group. It stays until the next.
    struct TableJob {
        std::string job_id;  // its request's id
        std::shared_ptr<TableCopyState> table;
        bool over = false;
    };
    // Durable from `at` on: rows of a part up to a key, or all of it.
    struct Mark {
        Position at;
        std::shared_ptr<TableCopyState> table;
        std::size_t part = 0;
        Key key{};
        bool whole = false;
    };

    Result<void> go_on(const Stream& stream, Instant now);
    bool may_begin(Instant now) const;
    void begin_exporting(Instant now);
    Result<void> export_snapshot(const Stream& stream, Instant now);
    Result<void> approach(const Stream& stream, Instant now);
    Result<void> list_tables(Instant now);
    Result<void> take_tables(const Rows& rows, Instant now);
    Result<void> read_tables(Instant now);
    Result<void> step_copiers(Instant now);
    Result<void> step_copier(TableCopier& copier, Instant now);
    Result<void> handle_event(TableCopier& copier, const Result<TableCopier::Event>& event,
                              Instant now);
    void chunk_ended(const TableCopier& copier);
    Result<void> assign(TableCopier& copier, Instant now);
    std::shared_ptr<TableCopyState> next_table(Instant now) const;
    bool may_assign(const TableJob& table_job, Instant now) const;
    void end_group(Instant now);
    void abandon_group(Instant now);
    void let_go();

    // Of the rows.
    Lsn rows_at() const noexcept { return {exported_.at ? exported_.at.value - 1 : 0}; }
    // False: a table of it is another job's in this group.
    bool add_table_jobs(SnapshotJob& job, const std::vector<SnapshotTable>& tables);
    void forget(SnapshotJob& job, const SnapshotTable& table);
    void seal(Batch& batch, const TableCopier& copier, Key last);
    void finish_tables();
    void finish_jobs();
    std::optional<Key> new_key(const Change& change);
    void drop_table_jobs();
    static void remember(std::vector<SnapshotJob>& jobs, const std::vector<TableJob>& table_jobs);
    Result<void> table_failed(const TableJob& table_job, const Error& error, Instant now);
    void put_off(const std::string& id, const Error& error, Instant now);
    Instant due() const;
    Instant due(const SnapshotJob& job) const;
    std::size_t copiers_wanted() const;
    std::uint64_t rows_each() const noexcept;
    bool may_lag_further() const noexcept;
    bool waits_for_store() const;
    bool could_assign() const;
    bool a_copier_is_idle() const;
    void report_waiting(Instant now);

    const Deps deps_;
    const SnapshotConfig& config_;
    State state_ = State::idle;
    SnapshotReports reports_;
    SnapshotJobs jobs_;

    SnapshotExporter exporter_;
    std::vector<std::unique_ptr<TableCopier>> copiers_;
    std::optional<Lsn> hold_;
    SnapshotPace pace_;
    RowRate rate_;
    Instant report_at_ = kNever;
    struct PutOff {
        Instant until{};
        Duration pause{};
    };
    std::map<std::string, PutOff> put_off_;  // jobs that could not be read, by their ids

    // Of the group.
    ExportedSnapshot exported_;
    bool of_slot_ = false;  // exported_ is the new slot's, held by the source
    WallTime taken_at_;
    bool listed_ = false;
    std::vector<TableJob> table_jobs_;  // TableCopyState::place is the index
    std::vector<std::string> begun_;    // jobs all of whose tables are in table_jobs_
    std::uint64_t ordinal_ = 0;
    std::size_t next_copier_ = 0;
    std::vector<bool> known_keys_;  // Relation::slot: changes_come_by() was called for it

    Position read_to_;  // the last batch's end
    Position durable_to_;
    std::deque<Mark> marks_;
    struct Kept {
        std::uint64_t revision = 0;
        std::uint64_t ordinal = 0;  // durable at this revision
    };
    std::deque<Kept> kept_;             // revisions not stored yet
    std::uint64_t stored_ordinal_ = 0;  // of the group
};

}  // namespace pgc
