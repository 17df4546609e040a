// The server's logical slots, for `pg-capture slots`: seen by a person, dropped by a person.
#pragma once

#include <cstdint>
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
    std::string reader;     // "PID 4711 (application)"; empty while nobody reads
    std::string confirmed;  // an LSN; empty while there is none
    std::string restart;
    std::uint64_t retained_bytes = 0;  // of log kept for it
    std::string wal_status;            // or why it is lost; "unknown" before 13
    bool ours = false;                 // the one that is configured
};

[[nodiscard]] Result<std::vector<SlotInfo>> list_slots(BlockingLink& link,
                                                       std::string_view our_slot);

enum class Dropped : std::uint8_t { yes, not_there };

// An active slot is refused: an Error that says who reads it.
[[nodiscard]] Result<Dropped> drop_slot(BlockingLink& link, std::string_view name);

}  // namespace pgc
