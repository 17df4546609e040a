// The data's way in one attempt: source -> transforms -> encoder -> sink, and the
// confirmations back into the ledger. It ends with the attempt; the next one builds another.
//
//   round()    once around: feedback, what the sink confirmed, the next batch
//   settle()   the same without reading: what was taken is made durable
//
// Between the two, finish_transaction() lets round() read on to the end of the transaction
// that the last batch cut through: ended there, nothing has to be sent twice.
//
// What a sink that seals has of the first transaction already is left out by the encoder. What it
// accepts counts as read by the source at once: the seal that makes it durable stores that, too, or
// neither.
//
// One batch may wait for its format, or in our hand when the sink is full; then, and when the
// budget is used up, nothing is read, while feedback to the server goes on.
//
// Where only whole transactions are sealed, and the format waits for long in the middle of one,
// what the sink has of it is given up: consumers of committed records would wait for it as well.
// The format is asked on, and once it goes on so does another attempt, from the last seal.
//
// Caught up, a sink may want whole groups of transactions (Sink::group_gap): then the first is
// taken at once, and what follows within the gap together.
//
// Heartbeats are a lane of their own: about no change, they move no position. Only one is on its
// way, so that they use no memory while the sink stands still; and an idle position is noted before
// the next is sent, which would keep it waiting as a change would.
//
// After an Error nothing more is read: stop_reading() lets the source go. Unless it was the
// sink that failed, settle() still makes durable what was taken.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "core/record.h"
#include "core/sink.h"
#include "core/source.h"
#include "core/transform.h"
#include "observe/status.h"
#include "pipeline/batch_size.h"
#include "pipeline/budget.h"
#include "pipeline/encoder.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline_metrics.h"
#include "pipeline/stall_watch.h"

namespace pgc {

struct FlowOptions {
    std::size_t batch_changes = 1000;
    bool batch_changes_fixed = false;  // the user wants no more than that
    std::size_t budget_bytes = std::size_t{32} << 20;
    // A sink that seals does so between transactions only, however large they are.
    bool whole_transactions = false;
    Duration heartbeat_interval{0};  // 0: none are sent
    EncoderOptions encoder{};
};

class Flow {
public:
    struct Parts {
        std::unique_ptr<Source> source;                      // started at `from.at`
        std::vector<std::unique_ptr<Transform>> transforms;  // in their order
        Encoder::Parts encoder;
        std::unique_ptr<Sink> sink;
    };
    // `pool`, `clock` and `pipeline_metrics` outlive this.
    Flow(Parts parts, const ResumePoint& from, const FlowOptions& options, const Clock& clock,
         RecordPool& pool, PipelineMetrics& pipeline_metrics);

    // True when it should be called again at once, false when there is something to wait for.
    [[nodiscard]] Result<bool> round();

    // From now on whatever lies after the end of the present transaction is left alone.
    void finish_transaction() noexcept { finishing_ = true; }
    // What was taken from the source ends inside a transaction, and the rest can be read.
    bool inside_transaction() const noexcept {
        return inside_transaction_ && source_ && reading_ && can_settle();
    }

    // Without reading, from now on. Not to be called after an Error of the sink.
    [[nodiscard]] Result<void> settle();
    // Everything taken from the source is durable.
    bool settled() const noexcept { return !encoder_.busy() && !in_hand_ && !ledger_.pending(); }

    bool can_settle() const noexcept { return !sink_failed_ && !given_up_; }
    // Ends the connection; also called for what an Error of the source leaves behind.
    void stop_reading() noexcept;

    // What is left of the snapshots, and its revision: as the source says, or said last.
    bool snapshot_left() const noexcept { return snapshots_ != nullptr && snapshots_->left(); }
    std::string snapshot_progress() const;
    std::uint64_t snapshot_revision() const noexcept;
    bool snapshot_is_due() const { return snapshots_ != nullptr && snapshots_->is_due(); }
    void snapshot_stored(std::uint64_t revision);
    SnapshotReport snapshot_report() const;
    // Likewise.
    std::string memory() const;
    std::uint64_t memory_revision() const noexcept;
    void request(const SnapshotCommand& command);

    // Everything before is durable, and the source is certain of it (Source::certain_until()).
    Lsn confirmable() const noexcept;
    // Where the sink makes nothing durable but by a seal: with which place; none: not now, for it
    // is not certain yet, or a transaction is to be sealed as a whole.
    ResumePoint sealable() const noexcept;
    // A sink that seals has all that comes before `place`.
    bool has_given(Lsn place) const;
    bool unsealed() const noexcept { return seals_ && ledger_.pending(); }
    bool snapshot_unsealed() const noexcept { return seals_ && ledger_.pending(kSnapshotLane); }
    bool seals() const noexcept { return seals_; }
    // The sink has everything that had arrived.
    bool all_given() const noexcept { return caught_up_ && !encoder_.busy() && !in_hand_; }
    Sink& sink() noexcept { return *sink_; }
    std::string format_waits_for() const { return encoder_.waits_for(); }
    // More is durable than that, and the source may yet become certain of it.
    bool waits_for_certainty() const noexcept {
        return source_ && confirmable() < ledger_.confirmable();
    }
    std::uint64_t confirmable_records() const noexcept { return ledger_.records(); }
    std::uint64_t sent_records() const noexcept { return ledger_.sent(); }
    // Only what is stored (pipeline/checkpoint.h). Nothing when the source is gone.
    void confirm(Lsn stored, bool now);
    // True when the source has ended the stream in order, or is gone.
    [[nodiscard]] Result<bool> close();

    void wants(Wants& wants) const;

    // When the stream will have been without changes for a while; kNever if it is not
    // caught up or something waits.
    Instant quiet_at() const noexcept;
    std::uint64_t batches_durable() const noexcept { return batches_durable_; }
    // Of a source that was not let go.
    std::optional<SourceSilence> silence() const;
    StallWatch::Seen seen() const;
    PipelineProgress progress(Lsn confirmed) const;

private:
    bool gathering() const noexcept { return clock_.now() < gather_until_; }
    bool may_read() const noexcept {
        return !encoder_.busy() && !in_hand_ && budget_.readable(BatchSize::kRaw_bytes_max) > 0;
    }
    Result<void> service();
    Result<bool> read();
    Result<void> begin_encoding();
    Result<void> encode();
    bool cut() const noexcept;
    void give_up_if_it_waits_for_long();
    Result<void> take_in_hand(RecordBatchPtr records);
    void hold(RecordBatchPtr records);
    bool may_beat() const noexcept {
        return source_ && reading_ && !encoder_.busy() && !in_hand_ &&
               !ledger_.pending(kHeartbeatLane);
    }
    Result<void> beat();
    bool too_early_to_offer() const noexcept;
    std::optional<Lsn> certain_until() const noexcept;
    Result<void> note_given();
    void report_to_snapshots();
    void report_tables();
    Result<void> offer();
    Result<void> collect();
    Result<void> collect(Lane lane);
    Result<void> note_idle();
    void count_pause();

    const Clock& clock_;
    RecordPool& pool_;
    PipelineMetrics& pipeline_metrics_;

    std::unique_ptr<Source> source_;  // null once it was let go
    SnapshotSource* snapshots_;       // of source_; null where it has none
    std::unique_ptr<Sink> sink_;
    const bool seals_;  // it keeps the positions
    const bool whole_;  // and only those between transactions
    const Position from_within_;
    bool sink_failed_ = false;
    bool given_up_ = false;  // what the sink has

    Ledger ledger_;
    Budget budget_;
    BatchSize size_;
    const std::vector<std::unique_ptr<Transform>> transforms_;
    Batch batch_;  // empty but while the encoder is busy with it
    Encoder encoder_;
    RecordBatchPtr in_hand_;    // encoded, not accepted yet
    InFlightBatch in_hand_as_;  // its entry in the ledger

    bool reading_ = true;
    bool finishing_ = false;
    bool inside_transaction_ = false;
    bool caught_up_ = false;
    Lsn received_;
    Lsn server_end_;
    std::optional<Lsn> certain_until_;  // as a source that was let go said
    Instant last_read_;
    Instant gather_until_{};
    const Duration heartbeat_interval_;
    Instant heartbeat_at_ = kNever;
    std::uint64_t heartbeats_ = 0;  // sent
    std::optional<Instant> paused_since_;
    std::uint64_t batches_durable_ = 0;
    // Of a source that was let go.
    std::string left_progress_;
    std::uint64_t left_revision_ = 0;
    std::string left_memory_;
    std::uint64_t left_memory_revision_ = 0;
};

}  // namespace pgc
