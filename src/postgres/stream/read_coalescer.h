// Decides whether to wait for many bytes at once or to take each row as it comes.
//
// A walsender makes one send per row. A reader that wakes for each of them costs both
// sides a context switch, which is dearer than decoding the row. So while we are behind,
// the socket is asked to read as readable only from a low-water mark on, and the wait has
// a limit; caught up, the mark is 1 and a row is taken the moment it arrives.
//
//   level 0   mark 1, no limit
//   level n   mark and limit rising together: a large read costs latency only in proportion
//             to the rate that was just seen
//
// Who knows that we are behind (the server's end of the log was asked for, and is far from
// where we are) need not guess: the top level at once, unless kPatience waits in a row brought
// nothing. Otherwise, from 0 to 1: when at least kBusyBytes came within kWindow (single wakes bring
// a row or two even under full load, so one drain says nothing). Further up: when a wait brought
// its mark. Half of it keeps the level (the server is slower than the mark, but busy), less
// takes it down one, and next to nothing takes it to 0: that is what being caught up
// looks like, and it has cost one wait.
//
// Unix sockets don't know the mark: there the limit alone is waited for, without looking
// at the descriptor; it is shorter, because their buffers hold a few hundred rows only.
//
// On loopback at the top level we stay away from the socket for kLoopbackWait: its receive
// window (small there, see link/libpq_link.cc) is then shut most of the time, so the walsender's
// rows gather in its send queue and cross many at a time, instead of each as a packet of its own.
// That halves what a row costs the walsender, whose CPU is the limit (docs/ARCHITECTURE.md).
// The first of them after each look still cross alone, until the window is shut (a quarter of
// a MiB: two thousand rows): the wait must be long enough for many times that to gather, also
// for a walsender that is slow because they do. With 10 ms some drains never got out of it.
//
// Pure. Threads: one, the owner's.
#pragma once

#include <array>
#include <cstddef>

#include "base/clock.h"

namespace pgc {

class ReadCoalescer {
public:
    static constexpr Duration kWindow = std::chrono::microseconds{1000};
    static constexpr std::size_t kBusyBytes = std::size_t{16} << 10;
    static constexpr std::size_t kNothing = std::size_t{4} << 10;  // less than a wait must bring
    static constexpr int kPatience = 10;

    // `local`: a Unix socket; `loopback`: TCP to this very machine.
    explicit ReadCoalescer(bool local, bool loopback = false) noexcept
        : local_(local), loopback_(loopback) {}

    // A drain took `bytes` off the socket and left nothing there. Not to be called for a
    // drain that stopped at its own limit: that one said nothing about the socket.
    // `behind`: there is surely more on its way.
    void drained(std::size_t bytes, Instant now, bool behind = false) noexcept;
    // What `behind` rests on was renewed: it counts again, though a wait brought nothing.
    void believe() noexcept { disappointments_ = 0; }

    bool behind() const noexcept { return level_ > 0; }
    // What the socket's low-water mark should be now.
    std::size_t low_water() const noexcept {
        return local_ || level_ == 0 || apart() ? 1 : kLevels[level_].bytes;
    }
    // Whether arriving bytes should wake us at all.
    bool watch_socket() const noexcept { return level_ == 0 || !(local_ || apart()); }
    // Whether to leave the socket alone though something else has woken us.
    bool stay_away(Instant now) const noexcept { return !watch_socket() && now < limit(); }
    // Look again at this moment, whatever has come.
    Instant limit() const noexcept { return level_ == 0 ? kNever : since_ + wait(); }

private:
    struct Level {
        std::size_t bytes;
        Duration wait;
    };
    static constexpr std::array<Level, 4> kLevels{{
        {1, Duration{0}},
        {std::size_t{16} << 10, std::chrono::microseconds{1000}},
        {std::size_t{64} << 10, std::chrono::microseconds{3000}},
        {std::size_t{128} << 10, std::chrono::microseconds{5000}},
    }};
    static constexpr Duration kLocalWait = std::chrono::microseconds{250};
    static constexpr std::size_t kLocalBytes = std::size_t{4} << 10;

    static constexpr Duration kLoopbackWait = std::chrono::milliseconds{30};

    bool apart() const noexcept { return loopback_ && level_ == kLevels.size() - 1; }
    Duration wait() const noexcept {
        if (local_) return kLocalWait;
        return apart() ? kLoopbackWait : kLevels[level_].wait;
    }
    std::size_t next_level(std::size_t bytes) const noexcept;

    bool local_;
    bool loopback_;
    std::size_t level_ = 0;
    int disappointments_ = 0;  // waits in a row that brought nothing
    Instant since_{};          // the last drain
    Instant window_{};
    std::size_t in_window_ = 0;
};

}  // namespace pgc
