// A PostgreSQL server's committed changes, as a Source.
//
//   opening ─▶ opened ─start()─┬─▶ starting ─▶ verifying ─▶ streaming ─close()─▶ closing ─▶ closed
//                              └─▶ copying ─┘
//
//   opening    setup/source_setup.h: two links, everything checked, publication and slot there
//   copying    existing rows are read in the snapshot that came with the new slot, which lives as
//              long as nothing is sent to the replication link (snapshot/snapshot.h)
//   starting   START_REPLICATION is on its way
//   verifying  in copy mode; the slot is asked whether the server went ahead of us, which
//              it does in silence. Until then nothing is read and no feedback sent
//   streaming  stream_reader.h reads; side_queries.h answers from beside the stream; feedback.h
//   reports;
//              the stream stands whenever snapshot.h says so
//
// What the server may forget is never more than confirm() said: the write position
// is what was received and kept back nothing, the flush position what was confirmed. With
// two_phase it is less while a prepared transaction is undecided, or its commit not safe
// (two_phase.h). Then the stream begins where the slot stands, which is before what start() was
// given, and what commits in between is left out.
//
// Feedback also goes out while the pipeline does not read: from service(), by the timer. What
// the server asks meanwhile stays in the socket; it measures its patience from our last
// message, so messages on time suffice.
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/spill_folder.h"
#include "core/source.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/options.h"
#include "postgres/relations/relations.h"
#include "postgres/relations/source_carry_over.h"
#include "postgres/setup/source_setup.h"
#include "postgres/snapshot/snapshot.h"
#include "postgres/source/new_tables.h"
#include "postgres/source/two_phase.h"
#include "postgres/source/unnamed_table_log.h"
#include "postgres/stream/assembler.h"
#include "postgres/stream/feedback.h"
#include "postgres/stream/side_queries.h"
#include "postgres/stream/stream_reader.h"
#include "postgres/stream/streamed_transactions.h"
#include "postgres/stream/timeline_watch.h"
#include "postgres/types/type_map.h"

namespace pgc {

class PostgresSource final : public Source {
public:
    // All references must outlive it. `keepalive_interval`: the longest pause between two
    // feedback messages.
    struct Deps {
        const PostgresConfig& config;
        LinkFactory& links;
        const Clock& clock;
        Metrics& metrics;
        Logger logger;
        SourceCarryOver& carry_over;
        Duration keepalive_interval = std::chrono::seconds{10};
        bool may_create_slot = true;
        bool may_replace_slot = false;
        std::optional<SourceHome> home{};
        bool snapshot = false;  // a new slot is to come with a snapshot
        std::shared_ptr<RelationSlots> slots = std::make_shared<RelationSlots>();
        bool look_only = false;  // with a `config` of looking_only(): commands are not taken
        // For transactions that the server streams before they are committed, and how many bytes of
        // them. Null, or 0: it keeps them itself until then.
        SpillFolder* spill = nullptr;
        std::uint64_t spill_limit = 0;
    };
    explicit PostgresSource(Deps deps);

    Result<bool> open() override;
    const SourceIdentity& identity() const override { return setup_.identity(); }
    Result<void> start(Lsn from, std::string_view snapshot) override;
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override;
    std::optional<Lsn> idle_at() const override;
    void end_at_commit(bool wanted) noexcept override;
    void confirm(Lsn lsn, bool now) override;
    bool fall_back_to_text() override;
    std::optional<Lsn> certain_until() const noexcept override;
    Result<void> service() override;
    void wants(Wants& wants, bool reading) const override;
    Lsn server_end() const noexcept override;
    std::optional<SourceSilence> silence() const override;
    Result<bool> close() override;

    SnapshotSource* snapshots() noexcept override { return snapshot_ ? &*snapshot_ : nullptr; }

    void recall(std::string_view memory) override;
    std::string memory() const override;
    std::uint64_t memory_revision() const noexcept override;

private:
    enum class State : std::uint8_t {
        opening,
        opened,
        copying,
        starting,
        verifying,
        streaming,
        closing,
        closed,
    };

    void schema_changed(const Relation& before, const Relation& now);
    void look_at_tables();
    [[nodiscard]] Result<void> choose_streaming();
    [[nodiscard]] Result<void> go_on_starting(Instant now);
    [[nodiscard]] Result<void> send_feedback(Instant now);
    [[nodiscard]] Result<void> send_start();
    [[nodiscard]] Result<Read> read_stream(Batch& batch, std::size_t max_changes,
                                           std::size_t max_bytes, Instant now);
    [[nodiscard]] Result<Read> read_snapshot(Batch& batch, std::size_t max_changes,
                                             std::size_t max_bytes, Instant now);
    Snapshot::Stream stream_now() const;
    void probe_for_place(Instant now);
    void take_commands(const Batch& batch);
    bool joined_are_stored() const noexcept;
    void settle_joined(Instant now);
    void take_tables(const std::vector<std::string>& joined, const CoveredTables& covered);
    [[nodiscard]] std::optional<Error> decided_otherwise(const Error& error);
    [[nodiscard]] Error explained_of_stream(Error error);
    [[nodiscard]] Error explained(Error error) const;

    const Deps deps_;
    State state_ = State::opening;
    SourceSetup setup_;
    StreamPlan plan_;
    Lsn from_;
    Lsn begins_at_;  // from_, or before
    Feedback feedback_;
    UnnamedTableLog unnamed_tables_;
    TypeMap types_;
    NewTables new_tables_;
    bool tables_observed_ = false;        // the tables in `plan_` were
    std::uint64_t memory_begins_at_ = 0;  // revision of SourceCarryOver::lineages at start()

    // From start() on, in the order of their dependence.
    std::unique_ptr<Link> link_;
    std::optional<Relations> relations_;
    std::optional<StreamedTransactions> streamed_;  // if plan_.streaming or plan_.two_phase
    std::optional<TwoPhase> two_phase_;             // if plan_.two_phase
    std::optional<Assembler> assembler_;
    std::optional<SideQueries> side_queries_;
    std::optional<TimelineWatch> timeline_;  // of a standby
    std::optional<StreamReader> reader_;
    std::optional<Snapshot> snapshot_;
    std::optional<Lsn> held_at_;  // the hold at which a message was kept back
    Instant probe_at_{};          // for the server's word that there is nothing before the hold
};

}  // namespace pgc
