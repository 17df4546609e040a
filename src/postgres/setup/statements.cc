#include "postgres/setup/statements.h"

#include <fmt/core.h>

#include "pgclient/quote.h"
#include "postgres/catalog/unique_indexes.h"

namespace pgc {

std::string_view slot_inactive_seconds(int version) noexcept {
    if (version < 170000) return "NULL::pg_catalog.int8";
    return "CASE WHEN NOT s.active THEN pg_catalog.date_part('epoch', "
           "pg_catalog.clock_timestamp() - s.inactive_since)::pg_catalog.int8 END";
}

std::string_view idle_slot_timeout_seconds(int version) noexcept {
    if (version < 180000) return "NULL::pg_catalog.int8";
    return "pg_catalog.date_part('epoch', pg_catalog.current_setting("
           "'idle_replication_slot_timeout')::pg_catalog.interval)::pg_catalog.int8";
}

// Asked at each start: pg_settings, which lists them all for each that is asked for, is left alone.
std::string server_facts_query() {
    return R"sql(/* pg-capture: server */
SELECT current_setting('server_version') AS version,
       current_setting('wal_level') AS wal_level,
       (extract(epoch FROM current_setting('wal_sender_timeout')::interval) * 1000)::bigint
           AS wal_sender_timeout_ms,
       CASE current_setting('max_slot_wal_keep_size', true) WHEN '-1' THEN -1
            ELSE pg_size_bytes(current_setting('max_slot_wal_keep_size', true)) >> 20 END
           AS max_slot_wal_keep_mb,
       extract(epoch FROM current_setting('idle_replication_slot_timeout', true)::interval)::bigint
           AS idle_slot_timeout_s,
       current_setting('max_replication_slots') AS slots_max,
       (SELECT count(*) FROM pg_replication_slots) AS slots,
       current_setting('max_wal_senders') AS senders_max,
       (SELECT count(*) FROM pg_stat_replication) AS senders,
       (SELECT pg_encoding_to_char(encoding) FROM pg_database
         WHERE datname = current_database()) AS encoding,
       pg_is_in_recovery() AS standby,
       current_user AS role,
       rolsuper AS superuser,
       rolreplication AS replication,
       has_database_privilege(current_database(), 'CREATE') AS may_create
  FROM pg_roles
 WHERE rolname = current_user)sql";
}

std::string tables_query() {
    return R"sql(/* pg-capture: tables */
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
       c.relpersistence AS persistence, c.relispartition AS partition,
       c.relhassubclass AS has_children, i.inhparent AS parent, c.relreplident AS identity,
       EXISTS (SELECT 1 FROM pg_index x
                WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisvalid
                  AND CASE c.relreplident WHEN 'i' THEN x.indisreplident
                                          ELSE x.indisprimary END) AS keyed,
       has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable,
       pg_has_role(c.relowner, 'USAGE') AS owned, c.relfilenode <> c.oid AS rewritten,
       i.xmin AS attached_by
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
   AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname)sql";
}

namespace {

std::string one_publication(std::string_view label, int version, std::string_view name,
                            std::string_view slot) {
    return fmt::format(
        R"sql(/* pg-capture: {} */
SELECT puballtables AS all_tables, pubinsert AS inserts, pubupdate AS updates,
       pubdelete AS deletes, {} AS truncates, {} AS via_root, {} AS generated,
       pg_has_role(pubowner, 'USAGE') AS owned, obj_description(oid, 'pg_publication') AS note,
       (SELECT count(*) FROM pg_replication_slots
         WHERE slot_type = 'logical' AND plugin = 'pgoutput' AND NOT temporary
           AND database = current_database() AND slot_name <> {}) AS other_slots
  FROM pg_publication
 WHERE pubname = {})sql",
        label, version >= 110000 ? "pubtruncate" : "false",
        version >= 130000 ? "pubviaroot" : "false", version >= 180000 ? "pubgencols" : "'n'",
        quote_text(slot), quote_text(name));
}

std::string members_of(std::string_view label, int version, std::string_view name) {
    std::string sql =
        fmt::format(R"sql(/* pg-capture: {} */
SELECT 't' AS kind, c.oid, n.nspname AS schema, c.relname AS name, {} AS filter
  FROM pg_publication p
  JOIN pg_publication_rel r ON r.prpubid = p.oid
  JOIN pg_class c ON c.oid = r.prrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE p.pubname = {})sql",
                    label,
                    version >= 150000
                        ? "CASE WHEN r.prqual IS NULL AND r.prattrs IS NULL THEN '' "
                          "ELSE hashtextextended(concat_ws('/', r.prqual, r.prattrs), 0)::text END"
                        : "''",
                    quote_text(name));
    if (version < 150000) return sql;
    return sql + fmt::format(R"sql(
UNION ALL
SELECT 's', n.oid, n.nspname, '', ''
  FROM pg_publication p
  JOIN pg_publication_namespace s ON s.pnpubid = p.oid
  JOIN pg_namespace n ON n.oid = s.pnnspid
 WHERE p.pubname = {})sql",
                             quote_text(name));
}

}  // namespace

std::string publication_query(int version, std::string_view name, std::string_view slot) {
    return one_publication("publication", version, name, slot);
}

std::string publication_members_query(int version, std::string_view name) {
    return members_of("publication members", version, name);
}

std::string inserts_publication_query(int version, std::string_view name, std::string_view slot) {
    return one_publication("publication of inserts", version, name, slot);
}

std::string inserts_members_query(int version, std::string_view name) {
    return members_of("members of inserts", version, name);
}

std::string published_tables_query(const std::vector<std::string>& names) {
    return fmt::format(R"sql(/* pg-capture: published tables */
SELECT DISTINCT schemaname AS schema, tablename AS name
  FROM pg_publication_tables
 WHERE pubname IN ({})
 ORDER BY schemaname, tablename)sql",
                       quote_texts(names));
}

std::string publication_signature_query(int version, const std::vector<std::string>& names) {
    const std::string publications = quote_texts(names);
    const std::string schemas = version < 150000 ? "''"
                                                 : fmt::format(R"sql(
       coalesce((SELECT string_agg(s.pnnspid::text, ',' ORDER BY s.pnnspid)
                   FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid
                  WHERE p.pubname IN ({})), ''))sql",
                                                               publications);
    // md5 is barred where the server keeps to FIPS; 10 has nothing else.
    const bool md5 = version < 110000;
    return fmt::format(R"sql(/* pg-capture: publication signature */
SELECT {2}(
       coalesce((SELECT string_agg(concat_ws('/', p::text, obj_description(p.oid, 'pg_publication')),
                                   ',' ORDER BY p.oid)
                   FROM pg_publication p WHERE p.pubname IN ({0})), 'none') || '/' ||
       coalesce((SELECT string_agg(r::text, ',' ORDER BY r.prpubid, r.prrelid)
                   FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                  WHERE p.pubname IN ({0})), '') || '/' || {1} || '/' ||
       coalesce((SELECT string_agg(concat_ws(':', c.oid, n.nspname, c.relname, c.relkind,
                                             c.relpersistence, c.relispartition, c.relreplident,
                                             i.xmin),
                                   ',' ORDER BY c.oid)
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
                  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
                    AND c.oid >= 16384), '') || '/' ||
       coalesce((SELECT string_agg(concat_ws(':', x.indexrelid, x.indisprimary, x.indisreplident,
                                             x.indimmediate, x.indisvalid), ','
                                   ORDER BY x.indexrelid)
                   FROM pg_index x
                  WHERE x.indrelid >= 16384 AND (x.indisprimary OR x.indisreplident)), ''){3}
       )::text AS signature)sql",
                       publications, schemas, md5 ? "md5" : "hashtextextended", md5 ? "" : ", 0");
}

std::string generated_columns_query() {
    return R"sql(/* pg-capture: generated columns */
SELECT DISTINCT n.nspname AS schema, c.relname AS name
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attgenerated = 's' AND NOT a.attisdropped AND c.oid >= 16384)sql";
}

std::string sent_columns_query() {
    return R"sql(/* pg-capture: sent columns */
SELECT n.nspname AS schema, c.relname AS name, a.attname AS column_name,
       c.relreplident IN ('f', 'n') OR
       coalesce((SELECT bool_or(a.attnum = ANY (x.indkey)) FROM pg_index x
                  WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisvalid
                    AND CASE c.relreplident WHEN 'i' THEN x.indisreplident
                                            ELSE x.indisprimary END), true) AS sent
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
   AND c.relpersistence = 'p' AND c.oid >= 16384)sql";
}

std::string unique_indexes_query(int version) {
    return fmt::format(
        fmt::runtime(R"sql(/* pg-capture: unique indexes */
SELECT n.nspname AS schema, t.relname AS name, x.relname AS index_name, a.attname AS column_name,
       {0} AS fault, NOT coalesce(a.attnotnull, true) AS nullable, {2} AS generated,
       t.relreplident <> 'i' OR
       coalesce((SELECT a.attnum = ANY (s.indkey::int2[]) FROM pg_index s
                  WHERE s.indrelid = t.oid AND s.indisreplident), true) AS sent
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS c(attnum, place)
  LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.attnum AND c.attnum <> 0
 WHERE i.indisunique AND t.oid >= 16384 AND t.relkind IN ('r', 'p') AND t.relpersistence = 'p'
   AND NOT EXISTS (SELECT FROM pg_index k WHERE k.indrelid = t.oid AND k.indisprimary)
 ORDER BY schema, name, {1}, c.place)sql"),
        unique_index_fault_sql(version), kUniqueIndexOrder,
        version >= 120000 && version < 180000 ? "coalesce(a.attgenerated <> '', false)" : "false");
}

std::string managed_role_query() {
    return R"sql(/* pg-capture: managed role */
SELECT EXISTS (SELECT 1 FROM pg_roles
                WHERE rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin')
                  AND pg_has_role(oid, 'MEMBER')) AS replication)sql";
}

std::string published_types_query(int version, const std::vector<std::string>& names) {
    // What the server sends is what it encodes, whatever we keep of it.
    // 15 to 17 name generated columns among the list's and send none.
    const std::string_view sent = version >= 180000 ? "a.attname = ANY (p.attnames)"
                                  : version >= 150000
                                      ? "a.attname = ANY (p.attnames) AND a.attgenerated = ''"
                                      : "a.attgenerated = ''";
    return fmt::format(R"sql(/* pg-capture: published types */
SELECT array_agg(DISTINCT a.atttypid)::text AS types
  FROM pg_publication_tables p
  JOIN pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND {}
 WHERE p.pubname IN ({}))sql",
                       sent, quote_texts(names));
}

std::string slots_query(int version, std::string_view name) {
    std::string_view invalid = "NULL";
    if (version >= 170000) {
        invalid = "s.invalidation_reason";
    } else if (version >= 160000) {
        invalid = "CASE WHEN s.conflicting THEN 'conflicting' END";
    }
    return fmt::format(
        R"sql(/* pg-capture: slots */
SELECT s.slot_name AS name, s.plugin, s.database, s.database = current_database() AS here,
       s.active, s.active_pid AS pid, s.restart_lsn AS restart, s.confirmed_flush_lsn AS confirmed,
       e.lsn AS server_end, (e.lsn - s.restart_lsn)::bigint AS retained,
       {} AS safe, {} AS wal_status, {} AS invalid, {} AS two_phase, {} AS failover, {} AS synced,
       a.application_name AS reader, {} AS inactive_s, {} AS idle_timeout_s
  FROM pg_replication_slots s
 CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                         ELSE pg_current_wal_lsn() END AS lsn) e
  LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
 WHERE s.slot_type = 'logical'{}
 ORDER BY s.slot_name)sql",
        version >= 130000 ? "s.safe_wal_size" : "NULL", version >= 130000 ? "s.wal_status" : "NULL",
        invalid, version >= 140000 ? "s.two_phase" : "false",
        version >= 170000 ? "s.failover" : "false", version >= 170000 ? "s.synced" : "false",
        slot_inactive_seconds(version), idle_slot_timeout_seconds(version),
        name.empty() ? std::string{} : fmt::format(" AND s.slot_name = {}", quote_text(name)));
}

std::string end_stale_reader_query(std::int64_t pid) {
    return fmt::format(R"sql(/* pg-capture: end stale reader */
SELECT pg_terminate_backend(pid) AS ended
  FROM pg_stat_activity
 WHERE pid = {} AND backend_type = 'walsender' AND usename = current_user
   AND application_name = current_setting('application_name'))sql",
                       pid);
}

std::string create_slot_command(int version, std::string_view slot, const NewSlot& as) {
    const std::string head =
        fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput", quote_name(slot));
    if (version < 150000) return head + (as.exported ? " EXPORT_SNAPSHOT" : " NOEXPORT_SNAPSHOT");
    return fmt::format("{} (SNAPSHOT '{}'{}{})", head, as.exported ? "export" : "nothing",
                       as.two_phase ? ", TWO_PHASE true" : "",
                       as.failover && version >= 170000 ? ", FAILOVER true" : "");
}

std::string prepared_transactions_query() {
    return R"sql(/* pg-capture: prepared transactions */
SELECT current_setting('max_prepared_transactions')::bigint AS allowed,
       (SELECT count(*) FROM pg_prepared_xacts) AS undecided)sql";
}

std::string turn_off_two_phase_command(std::string_view slot) {
    return fmt::format("ALTER_REPLICATION_SLOT {} (TWO_PHASE false)", quote_name(slot));
}

std::string drop_slot_query(std::string_view slot) {
    return fmt::format("/* pg-capture: drop slot */ SELECT pg_drop_replication_slot({})",
                       quote_text(slot));
}

std::string timeline_history_command(std::uint32_t timeline) {
    return fmt::format("TIMELINE_HISTORY {}", timeline);
}

}  // namespace pgc
