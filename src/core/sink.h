// What every destination promises the pipeline.
//
// Life: a sink is made before the position is looked up, because it may be where that is
// (positions()); then open() is called until it says true; then the rest.
//
// A batch passes through two states, and the difference is the delivery law:
//   accepted  the sink owns it; we may decode on, a crash still loses it
//   durable   the destination confirmed it; only this may advance the slot,
//             and only to a commit: a Position inside a transaction waits
//
// A sink that has transactions of its own makes nothing durable by itself: what was accepted
// becomes so with the position, when seal() commits both.
//
// Invariants, checked for every sink by tests/conformance/sink_test.cc:
//   - durable() never moves back and never passes the last accepted batch.
//   - durable() covers only whole batches, and every batch before it.
//   - A full sink refuses the batch untouched. It never buffers past its limit.
//   - A batch is given back as soon as its bytes are not needed any more.
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
#include "core/store.h"

namespace pgc {

// What may become of a record when we, or the way to the destination, fail.
enum class Guarantee : std::uint8_t {
    append,         // it may come again
    idempotent,     // it may come again, in the place of the first
    transactional,  // it comes once: records and position are committed together
};

class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    // Constant.
    virtual Guarantee guarantee() const noexcept = 0;

    // Where the position is, if it is the sink that keeps it; else null. Constant, and there from
    // the start: what is loaded before open() may still be moved on by whoever wrote before us. Its
    // save() is seal()'s, and not to be called; its saved() says how that went.
    virtual PositionStore* positions() noexcept = 0;

    // Goes on recovering what an instance before us left, and fencing it off: from true on it can
    // commit nothing more. Called when the source is ours.
    [[nodiscard]] virtual Result<bool> open() = 0;

    enum class Offer : std::uint8_t { accepted, full };

    // Takes `batch` (moved from) or leaves it as it was. Never blocks.
    // Requires: batch->end is above that of every batch accepted before in its lane.
    [[nodiscard]] virtual Result<Offer> offer(RecordBatchPtr& batch) = 0;

    // Collects confirmations and reports how far the destination is safe in `lane`.
    [[nodiscard]] virtual Result<Position> durable(Lane lane) = 0;

    // Begins to commit `position` with every accepted record of the stream's transactions that
    // committed before position.resume_at, and with what was accepted in other lanes: a crash loses
    // both or neither. What was accepted of later transactions waits for the next seal. One at a
    // time; until it is done offer() is full. The end: positions()->saved(), and durable().
    // Requires: positions() is not null; a transaction that is accepted in part began with the last
    // batch (so that the sink may still have kept it apart).
    [[nodiscard]] virtual Result<void> seal(const StoredPosition& position) = 0;

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

// What seal() of a sink without positions() answers.
inline Result<void> cannot_seal() {
    return std::unexpected(
        stop(Error::Category::internal, "this sink keeps no positions and can't seal one"));
}

}  // namespace pgc
