// Reads the stream: copy messages off the link, through the assembler, into batches.
//
// Messages are taken off the link in large reads and kept until they are decoded. Decoding may
// stop in their midst, because the batch is full or because a message waits for an answer
// from beside the stream (Stopped); the next read() goes on there.
//
// While the assembler replays a transaction from its file, nothing is taken off the link.
//
// After a drain the judges are asked: did much come at once (read_coalescer.h), is the server alive
// (feedback.h), does it send what it has (silence()). A drain that stopped at a limit is no sign of
// any: bytes are counted up to the drain that leaves nothing behind.
//
// Threads: one, the owner's. `link` and `assembler` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "pgclient/link.h"
#include "postgres/stream/assembler.h"
#include "postgres/stream/feedback.h"
#include "postgres/stream/read_coalescer.h"

namespace pgc {

class StreamReader {
public:
    // `wal_sender_timeout`: in force on the link; zero: none.
    StreamReader(Link& link, Assembler& assembler, Instant now, Duration wal_sender_timeout = {});
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;
    ~StreamReader();

    enum class Stopped : std::uint8_t {
        full,      // more may be at hand
        drained,   // everything that had arrived is in the batch
        catalog,   // a message waits: Relations::question()
        reselect,  // a message waits: Assembler::wanted()
        silent,    // as `drained`, and the server should be asked whether it is there
        held,      // a message waits: Assembler::hold_at()
    };
    [[nodiscard]] Result<Stopped> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes,
                                       Instant now);

    // A batch ends with the first commit in it, while that is wanted.
    void end_at_commit(bool wanted) noexcept { ends_at_commit_ = wanted; }

    // The server's log reaches to here, as was asked beside the stream.
    void log_reaches(Lsn end) noexcept;

    // The server's log goes on after all that came, and yet nothing comes: neither a message nor a
    // keepalive that names another place. Or it does not answer at all; that is what read() has
    // failed with then. None: neither.
    struct Silence {
        Instant since;
        std::uint64_t log_bytes = 0;  // after what came
        bool answers = true;          // when it is asked to
    };
    std::optional<Silence> silence() const noexcept;

    // No message is kept back, nor a transaction in a file.
    bool nothing_kept() const noexcept { return next_ == kept_.size() && !assembler_.replaying(); }

    // What arriving rows have us wait for.
    void wants(Wants& wants) const;

private:
    struct Limits {
        std::size_t changes;
        std::size_t bytes;
        std::size_t messages;  // of any kind: a read ends though all were filtered out
    };
    bool full(const Batch& batch, const Limits& limits) const noexcept;
    // Decodes what is kept; `drained` when all of it is.
    [[nodiscard]] Result<Stopped> decode(Batch& batch, const Limits& limits);
    // The same, until the assembler wants to replay: then `full`.
    [[nodiscard]] Result<Stopped> decode_kept(Batch& batch, const Limits& limits);
    // Until the replay is over: then `drained`.
    [[nodiscard]] Result<Stopped> replay(Batch& batch, const Limits& limits);
    [[nodiscard]] Stopped waits(Assembler::Taken taken) noexcept;
    [[nodiscard]] Result<Link::Drained> drain(const Batch& batch, const Limits& limits);
    [[nodiscard]] Result<Stopped> judge(Instant now);
    void note_news() noexcept;
    std::uint64_t log_ahead() const noexcept;
    [[nodiscard]] Error considered_dead() const;
    [[nodiscard]] Error why_ended();

    Link& link_;
    Assembler& assembler_;
    const Link::Release release_;
    ReadCoalescer coalescer_;
    Liveness liveness_;
    std::vector<CopyMessage> kept_;
    std::size_t next_ = 0;      // of kept_, to be decoded
    std::size_t decoded_ = 0;   // messages in this read()
    std::size_t received_ = 0;  // bytes since the last drain that left nothing
    std::uint64_t stale_ = 0;   // keepalives, before this read()
    Lsn log_end_;               // as last reported
    std::optional<Instant> quiet_since_;
    std::optional<Instant> dead_since_;  // it does not answer
    std::size_t low_water_ = 1;          // as the socket has it
    bool ends_at_commit_ = false;
    bool waiting_ = false;  // for an answer from beside the stream
};

}  // namespace pgc
