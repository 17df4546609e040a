#include "cli/slot_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "observe/status_line.h"

namespace pgc {
namespace {

std::string seconds_or_null(const std::optional<Duration>& time) {
    if (!time) return "null";
    return fmt::format("{}", std::chrono::duration_cast<std::chrono::seconds>(*time).count());
}

}  // namespace

std::string room_text(const SlotInfo& slot) {
    std::string text;
    if (slot.lost) return text;
    if (slot.safe_bytes && *slot.safe_bytes <= 0) {
        text = ", may be lost at any moment (max_slot_wal_keep_size)";
    } else if (slot.safe_bytes) {
        text = fmt::format(", lost after {} more (max_slot_wal_keep_size)",
                           readable_bytes(static_cast<std::uint64_t>(*slot.safe_bytes)));
    }
    if (slot.unread_for && slot.unread_max) {
        text += fmt::format(", unread for {} and lost after {} (idle_replication_slot_timeout)",
                            readable_time(*slot.unread_for), readable_time(*slot.unread_max));
    }
    return text;
}

std::string room_json(const SlotInfo& slot) {
    return fmt::format(R"("safe_bytes":{},"unread_seconds":{},"unread_seconds_max":{})",
                       slot.safe_bytes ? fmt::format("{}", *slot.safe_bytes) : "null",
                       seconds_or_null(slot.unread_for), seconds_or_null(slot.unread_max));
}

}  // namespace pgc
