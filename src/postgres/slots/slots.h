// The server's logical slots as an operator sees them: who reads, what they hold back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "postgres/link/blocking.h"

namespace pgc {

struct SlotInfo {
    std::string name;
    std::string plugin;
    std::string database;
    bool active = false;
    std::string reader;                // "PID 1234 from 10.0.0.5"; empty if nobody reads
    std::string confirmed;             // confirmed_flush_lsn
    std::string restart;               // restart_lsn
    std::uint64_t retained_bytes = 0;  // of the log kept for it
    std::string wal_status;            // 13 and later: reserved, extended, unreserved, lost
    bool ours = false;                 // the configured one
};

// Sorted by name. `ours` is the configured slot's name.
Result<std::vector<SlotInfo>> list_slots(BlockingLink& link, std::string_view ours);

enum class Dropped : std::uint8_t { yes, not_there };
// Refuses one that somebody reads, or that is no logical slot.
Result<Dropped> drop_slot(BlockingLink& link, std::string_view name);

}  // namespace pgc
