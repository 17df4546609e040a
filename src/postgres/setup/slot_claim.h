// Makes the slot ours to read from, if it is there.
//
//   asking ─┬─▶ none, or sound ─▶ settled
//      ▲    ├─▶ given up by the server ─▶ dropping ──────────┐  only where a snapshot follows
//      │    ├─▶ sends prepared, not wanted ─▶ altering ───────┤  18 and later can turn it off
//      │    └─▶ somebody reads from it ─▶ ending_reader ─▶ waiting
//      └──────────────────────────────────────────────────── ┘
//
// Our former self, cut off without the server's knowing, is ended; anybody else gets a moment to
// leave. Nothing is created here: the publication comes first.
//
// Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "postgres/setup/slot.h"

namespace pgc {

class SlotClaim {
public:
    struct Terms {
        std::string slot;
        std::string database;  // that we are connected to
        int server_version = 0;
        bool standby = false;
        bool may_replace = false;  // one that the server has given up
        bool two_phase = false;    // source.two_phase: it may send prepared transactions
        bool look_only = false;    // nothing is altered, and nobody's session ended
    };
    // Both links outlive it, and are idle.
    SlotClaim(Terms terms, Link& sql, Link& replication, Logger logger);

    [[nodiscard]] Result<void> begin(Instant now);
    // True when it is settled: slot() says what there is. An Error if it can't be read from.
    [[nodiscard]] Result<bool> step(Instant now);
    // None: there is no such slot.
    const std::optional<SlotState>& slot() const noexcept { return slot_; }

    // Until when the server's answer is waited for.
    Instant deadline() const noexcept { return deadline_; }
    void wants(Wants& wants) const;

private:
    enum class State : std::uint8_t { asking, dropping, altering, ending_reader, waiting };

    Result<bool> take(const Rows& rows, Instant now);
    Result<bool> take_slot(const Rows& rows, Instant now);
    Result<bool> replace(const Error& why, Instant now);
    Result<bool> turn_off_two_phase(Instant now);
    Result<bool> slot_is_active(Instant now);
    void take_ended(const Rows& rows, Instant now);
    void wait(Instant now);
    Result<bool> ask(Link& link, const std::string& command, State state, Instant now);
    Link& asked() const noexcept { return state_ == State::altering ? replication_ : sql_; }

    const Terms terms_;
    Link& sql_;
    Link& replication_;
    const Logger logger_;
    State state_ = State::asking;
    Instant deadline_ = kNever;
    Instant poll_at_ = kNever;
    std::optional<Instant> give_up_at_;
    bool ended_reader_ = false;
    std::optional<SlotState> slot_;
};

}  // namespace pgc
