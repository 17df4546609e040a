#include "postgres/stream/statements.h"

#include <fmt/format.h>

#include <iterator>

#include "pgclient/quote.h"
#include "postgres/setup/statements.h"

namespace pgc {

std::string start_replication(const StreamPlan& plan, Lsn from) {
    std::string names;
    for (const std::string& name : plan.publications) {
        names += (names.empty() ? "" : ",") + quote_name(name);
    }
    std::string command = fmt::format(
        "START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}",
        quote_name(plan.slot), to_string(from), plan.protocol_version,
        quote_replication_text(names));
    if (plan.messages) command += ", messages 'true'";
    if (plan.binary) command += ", binary 'true'";
    if (plan.streaming) command += ", streaming 'on'";
    if (plan.two_phase) command += ", two_phase 'on'";
    return command + ")";
}

std::string slot_health_query(int server_version) {
    const bool has_status = server_version >= 130000;
    const bool has_reason = server_version >= 170000;
    const bool has_conflicts = server_version >= 160000;
    // On a standby the log's end is what was replayed: decoding goes no further.
    return fmt::format(
        "/* pg-capture: slot health */ "
        "SELECT s.slot_name IS NOT NULL AS slot_exists, s.active, s.restart_lsn, "
        "s.confirmed_flush_lsn, {} AS wal_status, {} AS safe_wal_size, {} AS invalidation, "
        "EXISTS (SELECT 1 FROM pg_catalog.pg_publication p WHERE p.pubname = $2) AND "
        "EXISTS (SELECT 1 FROM pg_catalog.pg_publication p WHERE p.pubname = $3) "
        "AS publication_exists, e.server_end, "
        "pg_catalog.pg_wal_lsn_diff(e.server_end, s.restart_lsn)::pg_catalog.int8 "
        "AS retained_bytes, "
        "(SELECT pg_catalog.concat_ws(': ', a.wait_event_type, a.wait_event) "
        "FROM pg_catalog.pg_stat_get_activity(coalesce(s.active_pid, 0)) a) "
        "AS walsender_waits_for, "
        "{} AS inactive_s, {} AS idle_timeout_s "
        "FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
        "THEN pg_catalog.pg_last_wal_replay_lsn() "
        "ELSE pg_catalog.pg_current_wal_flush_lsn() END AS server_end) e "
        "LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = $1",
        has_status ? "s.wal_status" : "NULL::pg_catalog.text",
        has_status ? "s.safe_wal_size" : "NULL::pg_catalog.int8",
        has_reason      ? "s.invalidation_reason"
        : has_conflicts ? "CASE WHEN s.conflicting THEN 'conflict' END"
                        : "NULL::pg_catalog.text",
        slot_inactive_seconds(server_version), idle_slot_timeout_seconds(server_version));
}

std::string replayed_query(std::string_view slot, bool in_use) {
    return fmt::format(
        "/* pg-capture: replayed */ SELECT pg_catalog.pg_is_in_recovery() AS in_recovery, "
        "pg_catalog.pg_last_wal_replay_lsn() AS replayed "
        "FROM pg_catalog.pg_replication_slots WHERE slot_name = {}{}",
        quote_text(slot), in_use ? " AND active" : "");
}

std::string reselect_query(const Relation& relation, std::span<const std::uint32_t> columns) {
    std::string query = "/* pg-capture: reselect */ SELECT ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        query += (i == 0 ? "" : ", ") + quote_name(relation.columns[columns[i]].name);
    }
    query += " FROM " + quote_name(relation.schema, relation.name) + " WHERE ";
    for (std::size_t i = 0; i < relation.key.size(); ++i) {
        fmt::format_to(std::back_inserter(query), "{}{} = ${}", i == 0 ? "" : " AND ",
                       quote_name(relation.columns[relation.key[i]].name), i + 1);
    }
    return query + " LIMIT 1";
}

}  // namespace pgc
