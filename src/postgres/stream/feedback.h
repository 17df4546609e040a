// What to report to the server about our progress, and when.
//
// Only `flush` moves a logical slot, and only to what the ledger has confirmed. `write`
// is what was received; `apply` repeats `flush`, so that a synchronous commit that waits
// for us ("remote_apply") waits for what is durable.
//
// The server ends a connection from which it heard nothing for wal_sender_timeout, and
// asks (a keepalive with reply set) after half of it. While the pipeline has no room we
// don't read, so we don't see it asking: therefore feedback also goes out unasked, by the
// timer, at most half the server's limit apart.
//
// Pure: knows no socket. Threads: one, the owner's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/lsn.h"
#include "postgres/pgoutput/envelope.h"

namespace pgc {

class Feedback {
public:
    // `ceiling`: the longest pause between two messages, if the server allows it.
    explicit Feedback(Duration ceiling) noexcept : interval_(ceiling) {}

    // The server's wal_sender_timeout; zero: it never gives up.
    void server_patience(Duration limit) noexcept;

    void received(Lsn end) noexcept;
    // Never moves back; a lower place is ignored.
    void confirm(Lsn lsn, bool now) noexcept;
    // The server asked.
    void asked() noexcept { asked_ = true; }
    // We want to hear the server: the next message asks for a reply, and goes at once.
    void probe() noexcept { probe_ = true; }

    bool due(Instant now) const noexcept { return now >= due_at(); }
    // When the next message is to go out.
    Instant due_at() const noexcept;

    // The message that is due; it counts as sent at `now`.
    pgoutput::StandbyStatus take(Instant now, WallTime wall) noexcept;

    Lsn flushed() const noexcept { return flush_; }
    Lsn written() const noexcept { return write_; }
    Duration interval() const noexcept { return interval_; }

private:
    Duration interval_;
    Lsn write_;
    Lsn flush_;
    Instant sent_{};
    bool asked_ = true;  // the first message goes at once
    bool probe_ = false;
    bool hurry_ = false;
};

// Distinguishes a silent server from a dead connection.
//
// Silence alone proves nothing: an idle server says nothing as long as we send feedback,
// and while the pipeline does not read, everything stays in the socket. So the judge is
// asked only after a drain that found nothing: after kPatience of silence it has the
// server asked for a reply, and only if grace() after that, again after an empty drain,
// nothing came, the peer is gone. An answer that came meanwhile would have been drained.
//
// A walsender that works through a large transaction of which it sends nothing looks at what we ask
// only every half of wal_sender_timeout: one that is given up before would begin again, for ever.
class Liveness {
public:
    static constexpr Duration kPatience = std::chrono::seconds{5};
    static constexpr Duration kGrace_min = std::chrono::seconds{10};
    static constexpr Duration kLate_max = std::chrono::seconds{2};  // an answer may be, on its way

    // `wal_sender_timeout`: in force on the connection; zero: none.
    explicit Liveness(Duration wal_sender_timeout = {}) noexcept
        : grace_(std::max(kGrace_min, wal_sender_timeout / 2 + kLate_max)) {}

    enum class Verdict : std::uint8_t { fine, probe, dead };

    void heard(Instant now) noexcept {
        heard_ = now;
        probing_ = false;
    }
    // After a drain that found nothing.
    Verdict silence(Instant now) noexcept;
    // When silence() may say something new.
    Instant next() const noexcept { return probing_ ? probed_ + grace_ : heard_ + kPatience; }
    Duration grace() const noexcept { return grace_; }

private:
    const Duration grace_;
    Instant heard_{};
    Instant probed_{};
    bool probing_ = false;
};

}  // namespace pgc
