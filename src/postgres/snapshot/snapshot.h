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
// wait for the store between two. Where progress is stored together with the rows, what is not
// stored was seen by nobody: then it may be several times as many.
//
// Rows come in batches of kSnapshotLane at Position (C - 1, n), n counting the group's rows. A
// commit may start exactly at C, and counts its rows from 1 as well: shown at C, a row would hide
// it from a consumer that keeps the highest place of a key. No record of the log starts or ends in
// the byte before another one, so at C - 1 a row comes after all that it shows and before all else.
//
// Nothing blocks. Threads: one, the owner's.
#pragma once

#include <algorithm>
#include <cstdint>
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
#include "core/snapshot_source.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/relations/relations.h"
#include "postgres/setup/source_setup.h"
#include "postgres/snapshot/exporter.h"
#include "postgres/snapshot/group_tables.h"
#include "postgres/snapshot/job_retries.h"
#include "postgres/snapshot/jobs.h"
#include "postgres/snapshot/marked_rows.h"
#include "postgres/snapshot/moved_rows.h"
#include "postgres/snapshot/pace.h"
#include "postgres/snapshot/reload_tables.h"
#include "postgres/snapshot/reports.h"
#include "postgres/snapshot/rows_in_flight.h"
#include "postgres/snapshot/table_copier.h"

namespace pgc {

class Snapshot final : public SnapshotSource {
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
        Lsn from{};  // where the stream begins
    };
    // All references must outlive it.
    explicit Snapshot(Deps deps);
    ~Snapshot() override;

    // What is left, as progress() returned it before.
    [[nodiscard]] Result<void> restore(std::string_view progress);
    // The first group, of a snapshot that a new slot has exported. Requires left().
    void begin_at(ExportedSnapshot exported, Instant now);

    void request(const SnapshotCommand& command) override {
        this->request(command, RequestedBy::trusted);
    }
    void request(const SnapshotCommand& command, RequestedBy by,
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
    void is_stored_with_rows() override {
        stored_with_rows_ = true;
        lag_factor_ = kLag_sealed;
    }
    void durable(Position position) override;
    // As many rows are durable and not stored as a statement reads, or a reader waits for that.
    bool is_due() const override;
    void stored(std::uint64_t revision) override {
        stored_revision_ = std::max(stored_revision_, revision);
        rows_.stored(revision);
    }
    // The newest that is stored.
    std::uint64_t stored_revision() const noexcept { return stored_revision_; }

    bool left() const noexcept override { return !jobs_.empty(); }
    bool has_news() const noexcept override {
        return tables_.has_ended() || jobs_.has_reload_changes();
    }
    std::vector<SnapshotTableEnd> take_ended() override { return tables_.take_ended(); }
    std::vector<ReloadChange> take_reload_changes() override { return jobs_.take_reload_changes(); }

    // Changes of the stream come by: moved_rows.h.
    void watch(const Batch& batch) { moved_.watch(batch); }

    // A snapshot of everything is under way, and not paused.
    bool whole() const noexcept { return jobs_.whole(); }
    // One is, and nothing of any table is remembered as read.
    bool has_all_before_it() const noexcept;
    std::string progress() const override;
    std::uint64_t revision() const noexcept override { return jobs_.revision(); }
    SnapshotReport report() const override;

    void wants(Wants& wants, bool reading) const;

private:
    enum class State : std::uint8_t { idle, exporting, approaching, listing, reading };

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
    const SnapshotJob* marks_rows_of(const TableCopyState& table) const;
    // True when that has put rows into the batch.
    Result<bool> read_from(TableCopier& copier, Batch& batch, std::size_t max_changes,
                           std::size_t max_bytes);
    void send(Batch& batch, std::vector<SentRows> sent);
    Result<void> assign(TableCopier& copier, Instant now);
    std::shared_ptr<TableCopyState> next_table(Instant now) const;
    void end_group(Instant now);
    void abandon_group(Instant now);
    void let_go();

    void take_snapshot(ExportedSnapshot exported);
    void drop_ended_jobs();
    void finish_jobs();
    Result<void> table_failed(TableCopyState& table, const Error& error, Instant now);
    std::size_t copiers_wanted() const;
    std::uint64_t lag_max() const noexcept;
    std::uint64_t rows_each() const noexcept;
    bool may_lag_further() const noexcept;
    bool waits_for_store() const;
    bool could_assign() const;
    bool a_copier_is_idle() const;
    void report_waiting(Instant now);

    static constexpr std::uint64_t kLag_sealed = 8;

    const Deps deps_;
    const SnapshotConfig& config_;
    std::uint64_t lag_factor_ = 1;
    bool stored_with_rows_ = false;
    Lsn ordered_at_;  // of a reload that is ordered now: what committed before is sent
    State state_ = State::idle;
    SnapshotReports reports_;
    SnapshotJobs jobs_;

    SnapshotExporter exporter_;
    std::vector<std::unique_ptr<TableCopier>> copiers_;
    std::optional<Lsn> hold_;
    SnapshotPace pace_;
    RowRate rate_;
    Instant report_at_ = kNever;
    JobRetries retries_;

    // Of the group.
    ExportedSnapshot exported_;
    bool of_slot_ = false;  // exported_ is the new slot's, held by the source
    WallTime taken_at_;
    bool listed_ = false;
    GroupTables tables_;
    ReloadTables reloads_;
    MovedRows moved_;
    MarkedRows marked_;
    RowsInFlight rows_;
    std::size_t next_copier_ = 0;
    std::uint64_t stored_revision_ = 0;
};

}  // namespace pgc
