// The one place that decides what may be confirmed to the server. Pure: no I/O, no clock.
//
// Every batch the engine has taken from the source enters here, in order, with the LSN
// at which the stream could be resumed after it:
//
//     T1        T1  T2            T2              T3 (filtered out)
//   [batch 1] [batch 2: ends T1] [batch 3: ends T2] [batch 4: no records, ends T3]
//                 resume_at = end of T1   = end of T2    = end of T3
//
// confirmable() is resume_at of the last batch of the stream's lane that is durable with all
// batches before it. A batch that ends no transaction moves nothing: a position inside a
// transaction waits for its commit. A batch without records is durable as soon as all
// before it are, and is never shown to the sink.
//
// A sink with transactions of its own makes batches durable by sealing them with a position.
// sealable() is where the stream would go on after all that was pushed, inside a transaction, too.
//
// Whoever breaks the rules below (a server that sends commits out of order, a sink that
// confirms what it never got, an engine that forgets to ask) gets an Error, and nothing
// moves: a wrong confirmation loses data, a stop does not.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "core/position.h"

namespace pgc {

// A batch as the ledger knows it.
struct InFlightBatch {
    Lane lane = kStreamLane;
    Position end;             // of the last thing in it
    Lsn resume_at;            // as Batch::resume_at; none if it ends no transaction
    std::size_t records = 0;  // what the sink got; 0: it got nothing
    std::size_t bytes = 0;    // of the records' keys and values
    WallTime newest_commit{};
    Instant read_at{};
};

class Ledger {
public:
    // `from`: everything before is durable already.
    explicit Ledger(const ResumePoint& from) noexcept : confirmable_(from.at), sealable_(from) {}

    // The batch is the sink's now, or had nothing for it.
    // Requires: end above that of the batch before in its lane, resume_at not below that
    // of the last one that had any.
    [[nodiscard]] Result<void> push(const InFlightBatch& batch);

    // The sink is safe up to `position` in `lane`. Gives the batches with records that became
    // durable by that; the span lives until the next call.
    // Requires: not before an earlier answer, not beyond the last batch with records.
    [[nodiscard]] Result<std::span<const InFlightBatch>> durable(Lane lane, Position position);

    // The server has sent everything before `lsn`; a lower one than confirmable() is nothing
    // new. Requires: settled().
    [[nodiscard]] Result<void> idle(Lsn lsn);

    // Everything that committed before is durable. Never moves back.
    Lsn confirmable() const noexcept { return confirmable_; }
    // With all that the sink got. Never moves back.
    ResumePoint sealable() const noexcept { return sealable_; }
    // How many records of the stream that is: sent again, were this place not stored.
    std::uint64_t records() const noexcept { return records_; }
    // How many records of the stream the sink got, durable or not.
    std::uint64_t sent() const noexcept { return sent_; }

    // Everything of the lane up to here is durable, batches without records included.
    Position complete(Lane lane) const noexcept;

    // Batches with records wait for the sink, in any lane, or in this one.
    bool pending() const noexcept { return pending_ > 0; }
    bool pending(Lane lane) const noexcept;
    // Nothing waits, and the stream is not inside a transaction.
    bool settled() const noexcept;
    // Commit time of the newest change of the stream that waits; none when none does.
    WallTime newest_pending() const noexcept;

private:
    struct Progress {
        std::deque<InFlightBatch> waiting;
        Position last_end;    // of the last push
        Position last_shown;  // of the last push with records
        Position durable;     // what the sink last said
        Position complete;    // the end of the last batch that waits for nothing
        Lsn last_resume;
        std::uint64_t records = 0;  // durable
    };

    void complete_front(Progress& progress);

    std::map<Lane, Progress> lanes_;
    std::vector<InFlightBatch> done_;
    Lsn confirmable_;
    ResumePoint sealable_;
    std::uint64_t records_ = 0;
    std::uint64_t sent_ = 0;
    std::size_t pending_ = 0;
};

}  // namespace pgc
