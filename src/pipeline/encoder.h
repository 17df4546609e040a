// From a batch of changes to a batch of records, with all that would be alike in every format:
//
//   changes ─▶ a changed key is split ─▶ format ─▶ tombstones, partition keys ─▶ marks ─▶ records
//                                          │  ▲
//                                   waits ─┘  │ refused: fail, skip, or a dead letter
//                                             └─ text can be read: the source asks for that
//
// What a sink has sealed of the first transaction is left out at the end (leave_out_until()): what
// comes after it is the same as if nothing had been cut.
//
// A format may wait: then the batch stays here, half done, while the pipeline goes on with
// everything else. One batch at a time, in order.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "core/format.h"
#include "core/record.h"
#include "core/source.h"
#include "pipeline/pipeline_metrics.h"
#include "pipeline/transaction_marks.h"

namespace pgc {

// What becomes of a change that its format refuses.
enum class OnError : std::uint8_t {
    fail,         // the pipeline stops
    skip,         // it is left out, and counted as an error
    dead_letter,  // likewise, and a record for the dead letters takes its place
};

struct EncoderOptions {
    OnError on_error = OnError::fail;
    bool tombstones = false;
    bool transaction_marks = false;
    bool own_messages = false;  // the sink acts on them (core/own_messages.h)
};

class Encoder {
public:
    struct Parts {
        std::unique_ptr<Format> format;
        std::unique_ptr<PartitionKeys> partition_keys;  // null: keys decide partitions
    };
    // `pool` and `pipeline_metrics` outlive this.
    Encoder(Parts parts, const EncoderOptions& options, RecordPool& pool,
            PipelineMetrics& pipeline_metrics);

    // Records up to this place inside the transaction that comes first are left out.
    void leave_out_until(const Position& place) noexcept { sealed_ = place; }

    // Begins with `batch`, which stays as it is left until step() gives its records or an Error.
    // Requires: not busy().
    void begin(Batch& batch);
    // Goes on. Null while the format waits. After an Error the batch is given up. `source`: of the
    // batch; null when it is gone.
    [[nodiscard]] Result<RecordBatchPtr> step(Source* source);
    bool busy() const noexcept { return batch_ != nullptr; }

    // A heartbeat in a batch of its own lane, sent at `at` as the number that `end` has; null while
    // the format waits, and empty where it has none. Requires: not busy().
    [[nodiscard]] Result<RecordBatchPtr> heartbeat(WallTime at, Position end);

    // It was null: what is waited for, by whoever calls heartbeat() again then.
    bool heartbeat_waits() const noexcept { return heartbeat_waits_; }
    void heartbeat_wants(Wants& wants) const { parts_.format->wants(wants); }

    void wants(Wants& wants) const {
        if (busy()) parts_.format->wants(wants);
    }
    // What the format waits for (Format::waits_for()).
    std::string waits_for() const { return busy() ? parts_.format->waits_for() : std::string{}; }

private:
    Result<bool> encode_changes(Source* source);
    Result<bool> complete();
    void keep_own_messages();
    void leave_out();
    Result<void> finish_records(std::size_t first);
    Result<void> refused(Encoded encoded, Source* source);
    void give_up() noexcept;

    const Parts parts_;
    const EncoderOptions options_;
    RecordPool& pool_;
    PipelineMetrics& pipeline_metrics_;

    std::optional<Position> sealed_;  // as leave_out_until() was given it, until that has passed
    TransactionMarks marks_;

    Batch* batch_ = nullptr;    // being encoded
    RecordBatchPtr records_;    // of it, so far
    std::size_t next_ = 0;      // the first of its changes that is neither in records_ nor left out
    bool all_encoded_ = false;  // and marks are what is missing
    bool heartbeat_waits_ = false;
};

}  // namespace pgc
