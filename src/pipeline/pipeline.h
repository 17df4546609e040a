// The engine: follows one source into one sink until it is asked to end or must stop.
//
//                 ┌──────────────────────── pause over ──────────────────────┐
//                 ▼                                                          │
//   begin ─▶ connecting ─▶ guarding ─▶ streaming ──error that may pass──▶ backing_off
//                 │ source   │ sink,     │                                   │
//                 │          │ guard,    │                                   │
//                 │          │ start     │ asked to end                      │
//                 │          │           ▼                                   │
//                 │          │        draining                               │
//                 ▼          ▼           ▼                                   ▼
//              stopped: asked to end, or an error that somebody has to fix
//
// A sink is made first, for it may be where the position is. It is opened when the source is ours,
// and fences off whoever had it before; then the position is read again, which nobody else moves on
// any more.
//
// Why nothing is lost: an attempt starts where the stored position says (start_guard.h),
// and only what the ledger calls durable is stored (ledger.h), and only what is stored is
// confirmed to the server (checkpoint.h). Whatever breaks between those is read again.
//
// Threads: run() lives on one; request_stop() of StopRequest comes from any; Status and
// Metrics are how others look in.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/wait.h"
#include "core/record.h"
#include "core/store.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "observe/status.h"
#include "observe/status_line.h"
#include "pipeline/checkpoint.h"
#include "pipeline/flow.h"
#include "pipeline/options.h"
#include "pipeline/parts.h"
#include "pipeline/pipeline_metrics.h"
#include "pipeline/snapshot_requests.h"
#include "pipeline/stall_watch.h"
#include "pipeline/start_guard.h"
#include "pipeline/stop_request.h"
#include "pipeline/supervision.h"

namespace pgc {

class Pipeline {
public:
    // All outlive the pipeline.
    struct Deps {
        const Clock& clock;
        Waiter& waiter;
        Random& random;
        PositionStore& store;  // unless the sink keeps positions itself
        PipelineParts& parts;
        StopRequest& stop;
        Status& status;
        Metrics& metrics;
        SnapshotRequests& snapshot_requests;
        Logger log;
    };

    // How long draining waits for the rest of a transaction that has begun.
    static constexpr Duration kFinish_max = std::chrono::seconds{1};
    // Draining is given up after this; with Source::close() it ends in less than 5 s.
    static constexpr Duration kDrain_max = std::chrono::seconds{4};
    static constexpr Duration kClose_max = std::chrono::milliseconds{500};
    // How long what a source has found out holds while the store is waited for.
    static constexpr Duration kIdentity_max = std::chrono::seconds{1};
    // A stream that held for this long counts as progress, though nothing came.
    static constexpr Duration kHeld = std::chrono::seconds{5};
    // How often the progress of snapshots is published.
    static constexpr Duration kReport_every = std::chrono::milliseconds{100};

    Pipeline(PipelineOptions options, Deps deps);
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // Returns when it was asked to end, or with the error that stopped it. Once.
    [[nodiscard]] Result<void> run();

private:
    enum class State : std::uint8_t {
        connecting,
        guarding,
        streaming,
        backing_off,
        draining,
        stopped,
    };
    enum class Turn : std::uint8_t { again, wait };

    Turn step();
    Result<Turn> act();
    Result<Turn> connect();
    Result<Turn> guard();
    [[nodiscard]] Result<std::optional<bool>> is_newest() const;
    Result<Turn> begin_anew(Error because);
    Result<Turn> stream();
    Result<Turn> back_off();
    Turn wait_for_store();
    Turn drain();
    Turn give_up_draining(Error error);
    std::optional<Turn> finish_transaction(Instant now);

    Result<void> make_sink();
    Result<bool> open_sink();
    PositionStore& store() const noexcept;
    Result<bool> look_up_position();
    Result<void> make_source();
    Result<StartPlan> decide();
    Result<void> plan_snapshot(const StartPlan& plan);
    void log_start(const StartPlan& plan) const;
    Result<StartPlan> start_over(Error refusal);
    Result<void> start();
    Result<bool> checkpoint(Checkpoint::Urgency urgency);
    Result<void> rescue();
    void begin_attempt();
    void serve_snapshot_requests();
    Checkpoint::Reached reached() const;
    void begin_draining();
    void fail(Error error);
    void note_waiting(const Error& error);
    bool is_of_store(const Error& error) const;
    void finish(Result<void> outcome);
    void enter(State state);
    void note_progress();
    void watch_for_stalls();
    std::string words_of(WaitsOn on) const;
    void wait();
    Checkpoint::Urgency urgency() const;
    Checkpoint::Urgency drain_urgency() const;

    const PipelineOptions options_;
    Deps deps_;
    PipelineMetrics pipeline_metrics_;
    Supervision supervision_;
    Checkpoint checkpoint_;
    StatusLine status_line_;
    StallWatch stall_watch_;
    std::uint64_t positions_stored_ = 0;
    RecordPool pool_;  // outlives the flow, whose sink holds batches of it

    State state_ = State::connecting;
    Instant entered_;
    // Until it is the flow's; one that was not given anything serves the next attempt, too.
    std::unique_ptr<Sink> sink_;
    bool sink_is_open_ = false;
    bool sink_keeps_position_ = false;  // the last one that was made
    // Of the present attempt.
    std::optional<PositionStore::Loaded> loaded_;
    std::string snapshot_;  // to be read, for Source::start()
    std::shared_ptr<RelationSlots> slots_;
    std::unique_ptr<Source> source_;  // until it is the flow's
    std::optional<StartPlan> plan_;
    std::unique_ptr<Flow> flow_;
    bool progress_reported_ = false;
    bool overtaken_ =
        false;  // somebody else has stored: nothing of this attempt is stored any more
    std::uint64_t failures_ = 0;  // in a row
    std::uint64_t attempts_reported_ = 0;

    bool started_before_ = false;  // in this process
    bool began_anew_ = false;      // without a pause, and no progress since
    Instant report_at_;
    std::optional<SnapshotBrief> brief_;

    Instant retry_at_;
    Instant finish_until_;
    Instant drain_until_;
    Wants wants_;  // scratch
    Result<void> outcome_;
};

}  // namespace pgc
