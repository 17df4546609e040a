// The slot's health while the stream runs, seen from beside it.
//
// Some dangers the stream itself does not show: that the server went ahead of us at the
// start, that it is about to drop the log we still need, that the publication is gone (from
// 18 on decoding goes on without it, in silence). So every kInterval the catalog is asked, and what
// the walsender is busy with, should it send nothing.
//
// Reading and judging of what one query answered. The query: statements.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "postgres/setup/source_setup.h"

namespace pgc {

struct SlotHealth {
    static constexpr Duration kInterval = std::chrono::seconds{5};

    bool slot_exists = false;
    bool active = false;
    Lsn restart;  // the log is kept from here on
    Lsn confirmed;
    std::string wal_status;  // reserved, extended, unreserved, lost; empty before 13
    std::optional<std::int64_t> safe_wal_bytes;  // until it is lost; none without a limit
    std::string invalidation;                    // why it was, if it was
    bool publication_exists = false;
    Lsn server_end;
    std::int64_t retained_bytes = 0;
    std::string walsender_waits_for;       // as "Lock: relation"; empty: for nothing, or not known
    std::optional<Duration> inactive_for;  // 17+, while nobody reads from it
    Duration idle_timeout{0};              // 18+: it is given up after so long; zero: never
};

[[nodiscard]] Result<SlotHealth> read_slot_health(const Rows& rows);

// What nothing but a person can fix: an Error that stops. `may_replace`: a slot that is gone is
// none of that, since the next attempt makes another.
[[nodiscard]] Result<void> judge(const SlotHealth& health, const StreamPlan& plan,
                                 bool may_replace = false);

// After START_REPLICATION: a server that was confirmed further than `from` has skipped, in
// silence, what lies between. Unless the stream is not ours any more: its session was ended while
// we stood still, and who took over has stored and confirmed more. The answer to one query does not
// distinguish the two, but the next attempt does, since it looks at the slot and at what is stored
// by now: it stops if something is missing. Nothing of this stream is read.
[[nodiscard]] Result<void> judge_start(const SlotHealth& health, const StreamPlan& plan, Lsn from);

enum class SlotRisk : std::uint8_t {
    none,
    large,   // it keeps more log than max_wal_size: what nothing limits fills a disk
    near,    // less than a fifth of max_slot_wal_keep_size is left
    now,     // the next checkpoint may take it
    unread,  // for four fifths of idle_replication_slot_timeout: during a snapshot nobody reads it
};
SlotRisk risk_of(const SlotHealth& health) noexcept;

// One line about the risk that has changed, with the way out.
void report(SlotRisk risk, const SlotHealth& health, const Logger& logger);

}  // namespace pgc
