// What every destination promises the pipeline.
//
// A batch passes through two states, and the difference is the delivery law:
//   accepted  the sink owns it; we may decode on, a crash still loses it
//   durable   the destination confirmed it; only this may advance the slot,
//             and only to a commit: a Position inside a transaction waits
//
// Invariants, checked for every sink by tests/conformance/sink_test.cc:
//   - durable() never moves back and never passes the last accepted batch.
//   - durable() covers only whole batches, and every batch before it.
//   - A full sink refuses the batch untouched. It never buffers past its limit.
//   - After an Error the sink takes nothing more. The pipeline destroys it,
//     builds another and replays from durable(): at worst repeats, never a gap.
//
// Threads: owned and called by the pipeline thread alone. A sink may run threads
// of its own; they end before the destructor returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/position.h"
#include "core/record.h"

namespace pgc {

class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    enum class Offer : std::uint8_t { accepted, full };

    // Takes `batch` (moved from) or leaves it as it was. Never blocks.
    // Requires: batch->end is above that of every batch accepted before in its lane.
    [[nodiscard]] virtual Result<Offer> offer(RecordBatchPtr& batch) = 0;

    // Collects confirmations and reports how far the destination is safe in `lane`.
    [[nodiscard]] virtual Result<Position> durable(Lane lane) = 0;

    // The source has nothing more at hand: what is held back to make a larger write may go.
    virtual void caught_up() = 0;

    // Adds what offer() and durable() wait for, while something is undecided.
    virtual void wants(Wants& wants) const = 0;

    // Caught up with the source, it wants no more than a group of transactions in such a time:
    // what comes meanwhile is taken together; none: 0. Constant.
    virtual Duration group_gap() const noexcept = 0;

    // What it needs for each accepted record besides the batch, until that is given back. Constant.
    virtual std::size_t bytes_per_record() const noexcept = 0;

    // Bytes of accepted records that are not durable yet, for the metric. What the budget counts is
    // the batches: they are to be given back as soon as they are not needed any more, durable or
    // not.
    virtual std::size_t pending_bytes() const noexcept = 0;

    // What keeps it from going on, in the words of `status`: "Kafka: no broker answers";
    // empty while nothing does. Being full for a moment is not worth saying.
    virtual std::string waits_for() const = 0;
};

}  // namespace pgc
