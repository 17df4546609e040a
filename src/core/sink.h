// What every destination promises the pipeline.
//
// Life: a sink is made before the position is looked up, because it may be where that is
// (positions()); then open() is called until it says true; then the rest. It serves one attempt;
// until the stream has started it may be kept for the next. It may be destroyed at any time, with
// accepted batches or in the middle of open(): its destructor does not wait for the destination.
//
// A batch passes through two states, and the difference is the delivery law:
//   accepted  the sink owns it; we may decode on, a crash still loses it
//   durable   the destination confirmed it; only this may advance the slot,
//             and only to a commit: a Position inside a transaction waits
//
// A sink that has transactions of its own makes nothing durable by itself: what was accepted
// becomes so with the position, when seal() commits both.
//
// While something accepted is not durable, each turn of the loop calls durable() for its lane.
// There and in offer() a sink without threads of its own does its work.
//
// Invariants; tests/conformance/sink_test.cc checks for every sink what can be seen from outside:
//   - durable() never moves back and never passes the last accepted batch.
//   - durable() covers only whole batches, and every batch of the lane before it.
//   - A full sink refuses the batch untouched. It never buffers past a limit of its own; only an
//     empty one takes any batch, for one that is larger than the limit has to pass, too.
//   - A batch is given back as soon as its bytes are not needed any more, durable or not.
//   - After an Error the sink takes nothing more, waits for nothing and gives the Error again;
//     durable() may first report what became durable before it. The pipeline destroys the sink,
//     builds another and replays from durable(): at worst repeats, never a gap.
//
// Threads: owned and called by the pipeline thread alone. A sink may run threads of its own, which
// may read a batch but not give it back (RecordPool). Once the destructor has returned, none of
// them sends anything more or touches what is the pipeline's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/position.h"
#include "core/record.h"
#include "core/snapshot.h"
#include "core/store.h"

namespace pgc {

// What may become of a record when we, or the way to the destination, fail.
enum class Guarantee : std::uint8_t {
    append,         // it may come again
    idempotent,     // it may come again, and then replaces the first
    transactional,  // it comes once: records and position are committed together
};

// How often what was accepted is sealed: that costs a sink something, and what is not sealed comes
// again after a crash.
struct SealPace {
    Duration soon = std::chrono::milliseconds{2};     // where nothing is at hand to come with it
    Duration least = std::chrono::milliseconds{100};  // otherwise, and …
    int rest = 20;                                    // … so many times what the last one took
    Duration most = std::chrono::seconds{2};
    // Where only the position moved, because the source was idle; none: at the pipeline's interval.
    std::optional<Duration> idle{};
};

// Tables that are being reloaded, or are to be, in the words of `status`: "public.orders" and
// "pending_reload".
using TableModeWords = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::size_t kTableModes_max = 20;

class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    // Constant. `transactional` if and only if positions() is not null.
    virtual Guarantee guarantee() const noexcept = 0;

    // The store of the position, if the sink itself keeps it; else null. Constant, and usable
    // before open(): what is loaded then may still be replaced by the instance before us. Its
    // save() is not to be called: seal() takes its place, and saved() says how that went.
    virtual PositionStore* positions() noexcept = 0;

    // Recovers what an instance before us left and fences it off; true when that is done, from when
    // on that instance can commit nothing more. Never blocks: called again until then. Not called
    // before the source is ours, or an instance that waits for the slot would stop the one that
    // has it.
    [[nodiscard]] virtual Result<bool> open() = 0;

    enum class Offer : std::uint8_t { accepted, full };

    // Takes `batch` (moved from) or leaves it as it was. Never blocks. A refused batch is offered
    // again, and no other one before it.
    // Requires: batch->end is above that of every batch accepted before in its lane.
    [[nodiscard]] virtual Result<Offer> offer(RecordBatchPtr& batch) = 0;

    // Collects confirmations and reports how far the destination is safe in `lane`; Position{}
    // while nothing of it is. Never blocks.
    [[nodiscard]] virtual Result<Position> durable(Lane lane) = 0;

    // Begins to commit `position` with every record that was accepted: a crash loses both or
    // neither. One at a time; until it is done offer() is full. Done when positions()->saved() says
    // true; durable() covers what was committed by then.
    // Requires: positions() is not null; `position` is where the stream continues after what was
    // accepted.
    [[nodiscard]] virtual Result<void> seal(const StoredPosition& position) = 0;

    // How often it is sealed; only of a sink that seals. Constant.
    virtual SealPace seal_pace() const noexcept = 0;

    // From when on a seal is wanted though nothing new was accepted; kNever: not at all.
    virtual Instant seal_at() const noexcept = 0;

    // A snapshot's rows of a table were all accepted, or no more come. What a seal from now on
    // stores counts the table as read.
    virtual void table_ended(const SnapshotTableEnd& table) = 0;

    // A table is to be reloaded, or is not any more, or rows of a snapshot are void: what a seal
    // from now on stores says so. The same may come again. Of a sink that keeps rows of snapshots
    // apart; to others it is a snapshot.
    virtual void reload_changed(const ReloadChange& change) = 0;
    // As sealed; kTableModes_max of them.
    virtual TableModeWords table_modes() const = 0;

    // Gives up what was accepted and is not sealed, so that nobody who reads there waits for it any
    // longer. From then on it is as after an Error. Nothing is sealed at that time.
    // Only of a sink that seals; others have nothing to give up.
    virtual void give_up() = 0;

    // Nothing more may come for a while: what is held back only to make a larger write has to go,
    // or the pipeline and the sink would wait for each other. Called often, whenever something
    // accepted is not durable and the source has nothing more at hand, or nothing can be read (no
    // memory left, the format waits, the sink is full), or the pipeline ends.
    virtual void caught_up() = 0;

    // Adds what open(), offer(), durable() and seal() wait for; nothing while none of them does.
    virtual void wants(Wants& wants) const = 0;

    // While the pipeline is caught up with the source, it offers one group of transactions in this
    // time, all that arrived meanwhile, so that the destination gets fewer, larger requests.
    // 0: each as it comes. Constant.
    virtual Duration group_gap() const noexcept = 0;

    // Memory it needs for each accepted record besides the batch, until that is given back: counted
    // in the pipeline's budget. Constant.
    virtual std::size_t bytes_per_record() const noexcept = 0;

    // Bytes of accepted records that the sink holds in memory and that are not durable yet: what
    // its own limit bounds, and what tests hold it to. The pipeline's budget counts the batches
    // instead, until they are given back.
    virtual std::size_t pending_bytes() const noexcept = 0;

    // What keeps it from continuing, in the words of `status`: "Kafka: no broker answers";
    // empty while nothing does. Being full for a moment is not worth saying.
    virtual std::string waits_for() const = 0;
};

// What seal() of a sink without positions() answers.
inline Result<void> cannot_seal() {
    return std::unexpected(
        stop(Error::Category::internal, "this sink keeps no positions and can't seal one"));
}

}  // namespace pgc
