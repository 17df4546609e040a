#include "postgres/slots/slots.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "postgres/setup/slot.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

std::string lsn_text(Lsn lsn) {
    return lsn ? to_string(lsn) : std::string{};
}

std::string status(const SlotState& slot) {
    if (!slot.invalid.empty()) return "lost: " + slot.invalid;
    return slot.wal_status.empty() ? "unknown" : slot.wal_status;
}

std::string reader(const SlotState& slot) {
    if (!slot.active) return {};
    return slot.reader.empty() ? fmt::format("PID {}", slot.pid)
                               : fmt::format("PID {} ({})", slot.pid, slot.reader);
}

Result<std::vector<SlotState>> slots_named(BlockingLink& link, std::string_view name) {
    auto rows = link.ask(slots_query(link.link().server_version(), name));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return read_slots(*rows);
}

SlotInfo info_of(const SlotState& slot, std::string_view our_slot) {
    const bool behind = slot.confirmed && slot.server_end > slot.confirmed;
    return {.name = slot.name,
            .plugin = slot.plugin,
            .database = slot.database,
            .active = slot.active,
            .reader = reader(slot),
            .confirmed = lsn_text(slot.confirmed),
            .restart = lsn_text(slot.restart),
            .server_end = lsn_text(slot.server_end),
            .behind_bytes = behind ? slot.server_end.value - slot.confirmed.value : 0,
            .retained_bytes =
                static_cast<std::uint64_t>(std::max<std::int64_t>(slot.retained_bytes, 0)),
            .safe_bytes = slot.safe_bytes,
            .unread_for = slot.inactive_for,
            .unread_max =
                slot.idle_timeout > Duration{0} ? std::optional{slot.idle_timeout} : std::nullopt,
            .wal_status = status(slot),
            .lost = !slot.invalid.empty() || slot.wal_status == "lost",
            .ours = slot.here && slot.name == our_slot};
}

}  // namespace

Result<std::optional<SlotInfo>> find_slot(BlockingLink& link, std::string_view name) {
    const auto slots = slots_named(link, name);
    if (!slots) return std::unexpected(slots.error());
    if (name.empty() || slots->empty()) return std::nullopt;
    return info_of(slots->front(), name);
}

Result<std::vector<SlotInfo>> list_slots(BlockingLink& link, std::string_view our_slot) {
    const auto slots = slots_named(link, "");
    if (!slots) return std::unexpected(slots.error());
    std::vector<SlotInfo> infos;
    for (const SlotState& slot : *slots) infos.push_back(info_of(slot, our_slot));
    return infos;
}

Result<Dropped> drop_slot(BlockingLink& link, std::string_view name) {
    const auto slots = slots_named(link, name);
    if (!slots) return std::unexpected(slots.error());
    if (name.empty() || slots->empty()) return Dropped::not_there;
    if (slots->front().active) {
        Error error = slot_in_use(slots->front());
        error.next = Error::Next::stop;
        error.hint = fmt::format(
            "stop its reader first, or end its session: SELECT "
            "pg_terminate_backend({});",
            slots->front().pid);
        return std::unexpected(std::move(error));
    }
    auto dropped = link.ask(drop_slot_query(name));
    if (!dropped) return std::unexpected(std::move(dropped.error()));
    return Dropped::yes;
}

}  // namespace pgc
