// The replication slot as the server describes it, and whether it can be read from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "pgclient/link.h"
#include "postgres/options.h"

namespace pgc {

struct SlotState {
    std::string name;
    std::string plugin;
    std::string database;
    bool here = false;  // of the database we are connected to
    bool active = false;
    std::int64_t pid = 0;  // of its reader
    std::string reader;    // the reader's application_name, if we may see it
    Lsn restart;
    Lsn confirmed;
    std::int64_t retained_bytes = 0;  // of log the server keeps for it
    std::string wal_status;           // 13+: reserved, extended, unreserved, lost
    Lsn server_end;
    // 13+: what may still be written before the slot can be lost; none where nothing limits it.
    std::optional<std::int64_t> safe_bytes;
    // 17+: for how long nobody has read from it; none while somebody does.
    std::optional<Duration> inactive_for;
    Duration idle_timeout{0};  // 18+: it is given up when that is as long; zero: never
    std::string invalid;       // 16+: why the server has given it up; empty if it has not
    bool two_phase = false;
    bool failover = false;
    bool synced = false;  // copied from a primary: to be read after a promotion only
};

[[nodiscard]] Result<std::vector<SlotState>> read_slots(const Rows& rows);

// Whether the stream can be read from it once nobody else does: the right plugin and
// database, not lost, not invalidated. Whether it is active is asked apart: that passes.
[[nodiscard]] Result<void> require_sound(const SlotState& slot, const std::string& database,
                                         bool standby);

// With source.two_phase transactions are taken when they are prepared, which servers before 15
// don't know.
inline constexpr int kTwoPhaseSince = 150000;
[[nodiscard]] Result<void> require_two_phase(const PostgresConfig& config, int server_version);
// From 15 on a slot with two_phase on sends them so whatever is asked for with START_REPLICATION.
// Without source.two_phase we read each when it is committed. One that has it off is turned on by
// START_REPLICATION: what was prepared before comes whole when it is committed.
bool sends_prepared(const SlotState& slot, int server_version) noexcept;
// From then on it can be turned off without a loss: what was prepared is sent when it commits.
inline constexpr int kAlterTwoPhaseSince = 180000;
Error two_phase_refused(const SlotState& slot);

// "slot … is in use": an Error that retries, saying by whom.
Error slot_in_use(const SlotState& slot);

// Its reader calls itself as an instance of ours does (pgclient/libpq_link.h).
bool read_by_pg_capture(const SlotState& slot) noexcept;

}  // namespace pgc
