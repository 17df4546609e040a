// Up to where what a standby sends is on the timeline that was known at connect.
//
// The walsender of a standby that is promoted, or whose upstream is, goes on over the switch
// without a word; a position past it that is stored under the old timeline can't be distinguished
// from one of a server that diverged. So, as long as a standby is followed, two questions are asked
// again and again, over a replication link of our own:
//
//   1. how far has it replayed, and is it a standby still     R
//   2. IDENTIFY_SYSTEM: which timeline is it on               T, asked when R was known
//
// With T as at connect, no switch was before R: everything before R is certain. With another T
// the attempt ends, and the next one learns timeline and history again. A server that is no standby
// any more and on the timeline we know stays on it: then all is certain for good.
//
// A slot that is made may take long, and the switch may come meanwhile: so the watch begins when
// the slot is there, and its place must be certain before it is stored.
//
// Only the server that has our slot, once the stream has begun: in use, may answer: of several
// hosts another one might. What is not answered makes nothing certain: the stream goes on, and
// nothing further is stored.
//
// Nothing blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "core/source.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "pgclient/query_runner.h"

namespace pgc {

class TimelineWatch {
public:
    static constexpr Duration kEvery = std::chrono::milliseconds{500};
    static constexpr Duration kPause = std::chrono::seconds{5};  // after a failure

    // `known`: what was found at connect. The slot is there by now.
    TimelineWatch(LinkFactory& links, Logger logger, const SourceIdentity& known);

    // The slot is in use from now on. What is before `from` is certain.
    void stream_begins(Lsn from) noexcept;

    // An Error when the server is on another timeline: to be tried again.
    [[nodiscard]] Result<void> step(Instant now);
    // As Source::certain_until().
    std::optional<Lsn> certain_until() const noexcept;
    void wants(Wants& wants) const;

private:
    enum class Asked : std::uint8_t { nothing, replayed, timeline };

    void take_replayed(const QueryRunner::Answer& answer, Instant now);
    [[nodiscard]] Result<void> take_timeline(const QueryRunner::Answer& answer, Instant now);
    void not_known(const Error& error, Instant now);

    const Logger logger_;
    const std::string slot_;
    const std::uint32_t timeline_;
    QueryRunner questions_;
    bool in_use_ = false;
    Asked asked_ = Asked::nothing;
    bool in_recovery_ = true;  // as answered last
    Lsn replayed_;             // likewise
    Lsn certain_;
    bool for_good_ = false;
    Instant due_{};
};

}  // namespace pgc
