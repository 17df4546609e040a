// Writes one message a line to a descriptor: standard output, a pipe, a file, a socket.
//
//   queue_ (accepted batches)  ──lines──▶  buffer_  ──write(2)──▶  the reader
//
// Durable is a batch when write(2) has taken its last byte: a pipe's reader may still
// lose it, a file is not synced to the disk. That is all a console can promise.
//
// It never waits for the reader: it writes what goes at once in offer(), durable() and
// caught_up(), and wants() names the descriptor while more is left. So nothing has to be
// interrupted when it is destroyed. What is left of a line by then, the next sink writes first: a
// reader never sees two lines in one. Threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/sink.h"
#include "sink/console/options.h"
#include "sink/console/output.h"
#include "sink/lane_positions.h"

namespace pgc {

// What must outlive a ConsoleSink: kept by whoever makes sinks, handed to each in turn.
struct ConsoleCarryOver {
    std::string rest;  // of a line of which a part is written
};

class ConsoleSink final : public Sink {
public:
    // Beyond this many bytes or batches it is full; a batch larger than that is taken alone.
    static constexpr std::size_t kPendingBytes_max = std::size_t{4} << 20;
    static constexpr std::size_t kPendingBatches_max = 256;

    // `fd` stays the caller's and outlives the sink, as `carry_over` does. Requires: SIGPIPE is
    // ignored.
    ConsoleSink(int fd, const ConsoleSinkOptions& options, ConsoleCarryOver* carry_over = nullptr);
    ~ConsoleSink() override;

    Guarantee guarantee() const noexcept override { return Guarantee::append; }
    PositionStore* positions() noexcept override { return nullptr; }
    Result<bool> open() override { return true; }
    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override;
    Result<void> seal(const StoredPosition&) override { return cannot_seal(); }
    void caught_up() override;
    void wants(Wants& wants) const override;
    SealPace seal_pace() const noexcept override { return {}; }
    Instant seal_at() const noexcept override { return kNever; }
    void table_ended(const SnapshotTableEnd&) override {}
    void give_up() override {}
    void reload_changed(const ReloadChange&) override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override { return Duration{0}; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return pending_bytes_; }
    std::string waits_for() const override { return {}; }

private:
    // Lines are put together up to about this many bytes for one write.
    static constexpr std::size_t kWrite = std::size_t{64} << 10;
    // And this many bytes at most go out in one call, so that the loop gets its turn.
    static constexpr std::size_t kTurn = std::size_t{1} << 20;

    struct Pending {
        RecordBatchPtr batch;
        std::size_t bytes = 0;      // what it holds of the process's memory
        std::uint64_t ends_at = 0;  // where in our output its last line ends, once it is there
    };

    void pump();
    void fill();
    void took(std::size_t bytes);
    void retire();

    Output output_;
    const ConsoleSinkOptions options_;
    ConsoleCarryOver* const carry_over_;
    bool in_line_ = false;  // of the line at hand a part is written
    LanePositions durable_;

    std::deque<Pending> queue_;
    std::size_t pending_bytes_ = 0;
    std::size_t filled_ = 0;       // batches at the front of queue_ that are wholly in buffer_
    std::size_t next_record_ = 0;  // of the batch after them
    std::string buffer_;           // lines
    std::size_t taken_ = 0;        // bytes at its front that are written
    std::uint64_t put_ = 0;        // bytes of lines ever put into buffer_ …
    std::uint64_t sent_ = 0;       // … and ever written
    std::optional<Error> error_;
};

}  // namespace pgc
