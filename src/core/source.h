// What every source of changes promises the pipeline.
//
// Life: open() is called until it says true; then identity() is known; then start()
// once; then read(), confirm() and service() in any order. After an Error the source takes
// nothing more: the pipeline destroys it, builds another and resumes from what is
// durable. Nothing here blocks: what takes time happens between calls, and wants()
// says what to wait for.
//
// Rows that were there before the stream (core/snapshot.h) come from read() too, in batches
// of kSnapshotLane: core/snapshot_source.h.
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "core/change.h"
#include "core/snapshot_source.h"

namespace pgc {

// Where a server stopped following one timeline and began the next.
struct TimelineSwitch {
    std::uint32_t timeline = 0;  // the one that was left
    Lsn at;
};

// Where a stored position belongs. A source that finds itself anywhere else writes and creates
// nothing.
struct SourceHome {
    std::string system;
    std::string database;
};

// Which server the source is connected to, and where its replication slot stands.
struct SourceIdentity {
    std::string system;  // the cluster's identifier, unique among clusters
    std::uint32_t timeline = 0;
    std::vector<TimelineSwitch> history;  // of `timeline`, oldest first
    std::string database;
    std::string slot;
    // What decides which changes of a transaction come, and so how they are counted; may be empty.
    std::string publication{};
    bool slot_is_new = false;  // created by this very open()
    // The slot is missing and was not created again (SourceTask::may_create_slot); or it was not
    // looked for, because this is another system or database than SourceTask::home.
    bool slot_is_gone = false;
    Lsn slot_confirmed;  // the server may have forgotten everything before
    Lsn server_end;      // the end of its log now
};

// A source that should have something to send, and sends nothing.
struct SourceSilence {
    Duration lasted{0};
    std::uint64_t log_bytes = 0;  // of its log, after what came
    bool answers = true;          // when it is asked for a sign. False: that is why read() failed
    std::string busy_with{};      // in its own words; empty when it does not say

    bool operator==(const SourceSilence&) const = default;
};

class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    // Connects, checks and creates what is missing; true when that is done and identity() is known.
    // Called again until then.
    [[nodiscard]] virtual Result<bool> open() = 0;

    virtual const SourceIdentity& identity() const = 0;

    // What memory() returned when the stored position was stored; empty: nothing. Called once,
    // between open() and start().
    virtual void recall(std::string_view memory) = 0;

    // Asks for every transaction that commits at or after `from`. `snapshot`: what is left of
    // the snapshots, as SnapshotSource::progress() gave it; kWholeSnapshot: everything; empty:
    // nothing.
    [[nodiscard]] virtual Result<void> start(Lsn from, std::string_view snapshot) = 0;

    enum class Read : std::uint8_t {
        more,       // the batch is full, more is at hand
        caught_up,  // everything that had arrived is in the batch
    };
    // Appends what has arrived to `batch`, up to `max_changes` and `max_bytes` (exceeded by
    // one message at most). A batch may begin and end inside a transaction. Sets batch.end,
    // batch.resume_at and the transactions' extents. The batch may stay empty.
    [[nodiscard]] virtual Result<Read> read(Batch& batch, std::size_t max_changes,
                                            std::size_t max_bytes) = 0;

    // From now on, while `wanted`, a batch ends with the first commit in it.
    virtual void end_at_commit(bool wanted) noexcept = 0;

    // The server has sent everything before this LSN, and we are between transactions: with nothing
    // unconfirmed, the LSN itself may be confirmed. None inside a transaction.
    virtual std::optional<Lsn> idle_at() const = 0;

    // Everything before `lsn` is safe and may be forgotten by the server. Never moves back.
    // Sent to the server with the next feedback, at once if `now` is set.
    virtual void confirm(Lsn lsn, bool now) = 0;

    // Up to here identity() certainly holds: nothing further may be stored or confirmed, for it may
    // be on another timeline than the one the stored position would name. None: no such bound.
    // Never moves back; not before what start() was given.
    virtual std::optional<Lsn> certain_until() const noexcept = 0;

    // A value that came in binary form can't be read: from the next attempt on the source asks for
    // text. False: it comes as text already, and nothing would change.
    [[nodiscard]] virtual bool fall_back_to_text() = 0;

    // Sends feedback when it is due or was asked for. To be called at least whenever
    // wants().deadline has passed, also while the pipeline is not reading: this keeps
    // the connection alive while a sink is slow.
    [[nodiscard]] virtual Result<void> service() = 0;

    // Adds what read() and service() wait for. `reading` is false while the pipeline has no
    // room: then only feedback counts, not arriving rows.
    virtual void wants(Wants& wants, bool reading) const = 0;

    // Rows that were there before the stream; null before start(), and in a source that can't read
    // them.
    virtual SnapshotSource* snapshots() noexcept = 0;

    // What must be known of the stream's past to continue it from where it is durable, and can't be
    // asked of the server any more. To be stored with the position, or before. It has changed when
    // its revision has; the revision of what it returned before start() is 0.
    virtual std::string memory() const = 0;
    virtual std::uint64_t memory_revision() const noexcept = 0;

    // The furthest end of the server's WAL that it has reported, for lag.
    virtual Lsn server_end() const noexcept = 0;

    // None while everything is sent that there is, as far as can be known. To be asked while it is
    // read from, and after an Error of read().
    virtual std::optional<SourceSilence> silence() const = 0;

    // Ends the stream in order: last feedback sent, copy mode left; true when done. Called again
    // until then. Not required before destruction.
    [[nodiscard]] virtual Result<bool> close() = 0;
};

}  // namespace pgc
