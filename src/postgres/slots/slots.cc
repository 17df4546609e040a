#include "postgres/slots/slots.h"

#include <fmt/format.h>

#include <charconv>

#include "postgres/quote.h"

namespace pgc {
namespace {

// One row a logical slot, in the order of SlotInfo; before 13 there is no wal_status.
std::string slots_query(int server_version) {
    return fmt::format(
        "SELECT s.slot_name, s.plugin, s.database, s.active, "
        "CASE WHEN s.active_pid IS NULL THEN '' ELSE 'PID ' || s.active_pid || "
        "coalesce(' from ' || host(a.client_addr), '') END, "
        "coalesce(s.confirmed_flush_lsn::text, ''), coalesce(s.restart_lsn::text, ''), "
        "coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() "
        "ELSE pg_current_wal_lsn() END, s.restart_lsn), 0)::bigint, {} "
        "FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid "
        "WHERE s.slot_type = 'logical' ORDER BY s.slot_name",
        server_version >= 130000 ? "coalesce(s.wal_status, '')" : "''");
}

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

Result<std::vector<SlotInfo>> list_slots(BlockingLink& link, std::string_view ours) {
    auto answer = link.ask(slots_query(link.link().server_version()));
    if (!answer) return std::unexpected(std::move(answer.error()));
    std::vector<SlotInfo> slots;
    for (const auto& row : answer->rows) {
        if (row.size() != 9) continue;
        const auto cell = [&](std::size_t i) { return row[i].value_or(""); };
        slots.push_back({.name = cell(0),
                         .plugin = cell(1),
                         .database = cell(2),
                         .active = cell(3) == "t",
                         .reader = cell(4),
                         .confirmed = cell(5),
                         .restart = cell(6),
                         .retained_bytes = number(cell(7)),
                         .wal_status = cell(8),
                         .ours = cell(0) == ours});
    }
    return slots;
}

Result<Dropped> drop_slot(BlockingLink& link, std::string_view name) {
    auto slots = list_slots(link, name);
    if (!slots) return std::unexpected(std::move(slots.error()));
    for (const SlotInfo& slot : *slots) {
        if (!slot.ours) continue;
        if (slot.active) {
            return std::unexpected(
                stop(Error::Category::server, fmt::format("slot {} is in use", name))
                    .at(slot.reader)
                    .mended_by("stop its reader first"));
        }
        auto dropped =
            link.ask("SELECT pg_catalog.pg_drop_replication_slot(" + quote_text(name) + ")");
        if (!dropped) return std::unexpected(std::move(dropped.error()));
        return Dropped::yes;
    }
    return Dropped::not_there;
}

}  // namespace pgc
