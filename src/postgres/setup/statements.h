// Every query and command of setup, check and slots: plain functions to text, so that they
// can be read in one place and recognised by a server that is only simulated.
//
// Each begins with a comment that names it, which also shows a DBA who is asking. Catalog
// names need no schema: pgclient/session.h pins search_path. Versions as 150018.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace pgc {

// Expressions of a slot `s` of pg_replication_slots, both in seconds: for how long nobody has read
// from it, null while somebody does and before 17; after how long that is too long, null before 18.
std::string_view slot_inactive_seconds(int version) noexcept;
std::string_view idle_slot_timeout_seconds(int version) noexcept;

// One row: version, wal_level, wal_sender_timeout_ms, max_slot_wal_keep_mb (null before 13),
// idle_slot_timeout_s (null before 18),
// slots_max, slots, senders_max, senders, encoding, standby, role, superuser, replication,
// may_create.
std::string server_facts_query();

// One row for each table that could be published: oid, schema, name, kind, persistence,
// partition, has_children, parent, identity, keyed, readable, owned, rewritten (of what holds
// rows), attached_by.
std::string tables_query();

// One row if it exists: all_tables, inserts, updates, deletes, truncates, via_root,
// generated (n or s), owned, note, other_slots (of this database, that pgoutput reads for; but
// `slot`).
std::string publication_query(int version, std::string_view name, std::string_view slot);

// The same of the second of ours, and of its members.
std::string inserts_publication_query(int version, std::string_view name, std::string_view slot);
std::string inserts_members_query(int version, std::string_view name);

// One row for each member: kind (t or s), oid, schema, name, filter (of
// its row filter and column list; empty without).
std::string publication_members_query(int version, std::string_view name);

// One row for each table as the server publishes it by any of these: schema, name.
std::string published_tables_query(const std::vector<std::string>& names);

// One row for each table with a stored generated column (12+): schema, name.
std::string generated_columns_query();

// Of each table without a primary key, one row for each column of each unique index, best first
// (catalog/unique_indexes.h): schema, name, index_name, column_name (null: an expression), fault,
// nullable, generated (and therefore never sent), sent (with each old row that the server sends).
std::string unique_indexes_query(int version);

// One row for each column of a table: schema, name, column_name, sent (with each old row that the
// server sends: of a table without a replica identity it sends none).
std::string sent_columns_query();

// One row: replication. Managed services give the right to replicate by membership.
std::string managed_role_query();

// One row: signature. Changes with everything the four above answer.
std::string publication_signature_query(int version, const std::vector<std::string>& names);

// One row: types, an array of the OIDs of all published columns' types, in text. For 14 and later.
std::string published_types_query(int version, const std::vector<std::string>& names);

// One row for each logical slot: name, plugin, database, here, active, pid, restart,
// confirmed, retained, wal_status (13+), invalid (16+: why; conflicting or the reason), two_phase
// (14+), failover and synced (17+), reader, inactive_s and idle_timeout_s (as above). Without
// `name` all of them.
std::string slots_query(int version, std::string_view name);

// Ends the session `pid` if it is a walsender of this very process: one row, or none.
std::string end_stale_reader_query(std::int64_t pid);

struct NewSlot {
    bool failover = false;   // where the server has that
    bool exported = false;   // with a snapshot of what is before it: until the next command
    bool two_phase = false;  // 15+
};
// CREATE_REPLICATION_SLOT, in the grammar of the version.
std::string create_slot_command(int version, std::string_view slot, const NewSlot& as);

// How many may be, and are, in the whole system: allowed, undecided.
std::string prepared_transactions_query();

// 18+.
std::string turn_off_two_phase_command(std::string_view slot);

std::string drop_slot_query(std::string_view slot);

std::string timeline_history_command(std::uint32_t timeline);

}  // namespace pgc
