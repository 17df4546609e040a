// The server's logical slots, for `pg-capture slots` and `lag`: seen by a person, dropped by a
// person.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "pgclient/blocking.h"

namespace pgc {

struct SlotInfo {
    std::string name;
    std::string plugin;
    std::string database;
    bool active = false;
    std::string reader;     // "PID 4711 (application)"; empty while nobody reads
    std::string confirmed;  // an LSN; empty while there is none
    std::string restart;
    std::string server_end;            // of the server's log, now
    std::uint64_t behind_bytes = 0;    // from what is confirmed to there
    std::uint64_t retained_bytes = 0;  // of log kept for it
    // What may still be written before it can be lost; none where nothing limits it, and
    // before 13. Negative: it is past that already.
    std::optional<std::int64_t> safe_bytes;
    // For how long nobody has read it (17+), and after how long of that it is given up (18+); none
    // while somebody does, where it is never given up, and where that is not known.
    std::optional<Duration> unread_for;
    std::optional<Duration> unread_max;
    std::string wal_status;  // or why it is lost; "unknown" before 13
    bool lost = false;       // nothing can be read from it any more
    bool ours = false;       // the one that is configured
};

// One slot by its name, of whatever database; nothing when there is none.
[[nodiscard]] Result<std::optional<SlotInfo>> find_slot(BlockingLink& link, std::string_view name);

[[nodiscard]] Result<std::vector<SlotInfo>> list_slots(BlockingLink& link,
                                                       std::string_view our_slot);

enum class Dropped : std::uint8_t { yes, not_there };

// An active slot is refused: an Error that says who reads it.
[[nodiscard]] Result<Dropped> drop_slot(BlockingLink& link, std::string_view name);

}  // namespace pgc
