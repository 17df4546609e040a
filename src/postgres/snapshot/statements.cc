#include "postgres/snapshot/statements.h"

#include <fmt/core.h>

#include "postgres/quote.h"

namespace pgc {
namespace {

// A table that is being altered is not waited for longer: the stream stands meanwhile.
constexpr std::string_view kLockPatience = "3s";

std::string place_of(const TableAddress& table) {
    return quote_name(table.schema, table.name);
}

}  // namespace

std::string create_temporary_slot_command(int version, std::string_view slot) {
    return fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput {}", quote_name(slot),
                       version >= 150000 ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT");
}

std::string drop_slot_command(std::string_view slot) {
    return fmt::format("DROP_REPLICATION_SLOT {}", quote_name(slot));
}

std::string snapshot_tables_query(int version, std::string_view publication) {
    // A root whose rows come as its own is read partition by partition.
    const std::string_view leaves = version >= 130000 ? R"sql(
  CROSS JOIN LATERAL (SELECT s.oid AS relid WHERE s.relkind <> 'p'
                      UNION ALL
                      SELECT t.relid FROM pg_partition_tree(s.oid) t
                       WHERE s.relkind = 'p' AND t.isleaf) l
  JOIN pg_class c ON c.oid = l.relid)sql"
                                                      : R"sql(
  JOIN pg_class c ON c.oid = s.oid)sql";
    return fmt::format(R"sql(/* pg-capture: snapshot tables */
SELECT c.oid, n.nspname AS schema, c.relname AS name, s.oid AS shown_oid,
       p.schemaname AS shown_schema, p.tablename AS shown_name,
       coalesce(pg_relation_size(c.oid), 0) AS bytes, {} AS filter
  FROM pg_publication_tables p
  JOIN pg_namespace sn ON sn.nspname = p.schemaname
  JOIN pg_class s ON s.relnamespace = sn.oid AND s.relname = p.tablename{}
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE p.pubname = {} AND c.relkind = 'r'
 ORDER BY bytes DESC, c.oid)sql",
                       version >= 150000 ? "coalesce(p.rowfilter, '')" : "''", leaves,
                       quote_text(publication));
}

std::string open_table_command(const OpeningOfTable& opening) {
    const std::string place = place_of(opening.table);
    const auto timeout_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(opening.statement_timeout).count();
    return fmt::format(
        "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
        "SET TRANSACTION SNAPSHOT {}; SET LOCAL lock_timeout = '{}'; "
        "SET LOCAL row_security = off; LOCK TABLE ONLY {} IN ACCESS SHARE MODE; "
        "SET LOCAL statement_timeout = {}; "
        "/* pg-capture: open table */ SELECT to_regclass({})::oid = {} AND "
        "pg_relation_filenode({}::oid) = (SELECT relfilenode FROM pg_class WHERE oid = {}) AS same",
        quote_text(opening.snapshot), kLockPatience, place, timeout_ms, quote_text(place),
        opening.table.oid.value, opening.table.oid.value, opening.table.oid.value);
}

std::string check_condition_query(const TableAddress& table, std::string_view condition) {
    return fmt::format(
        "/* pg-capture: check condition */ SELECT 1 FROM ONLY {} WHERE ({}\n) LIMIT 0",
        place_of(table), condition);
}

std::string snapshot_columns_query(int version, std::string_view publication,
                                   const TableAddress& table, const TableAddress& shown) {
    std::string published;
    if (version >= 150000) {
        published = fmt::format(
            "a.attname = ANY ((SELECT p.attnames FROM pg_publication_tables p "
            "WHERE p.pubname = {} AND p.schemaname = {} AND p.tablename = {})::name[])",
            quote_text(publication), quote_text(shown.schema), quote_text(shown.name));
    }
    // Before 18 these are listed here and there, and never sent.
    if (version >= 120000 && version < 180000) {
        published += published.empty() ? "a.attgenerated = ''" : " AND a.attgenerated = ''";
    }
    if (published.empty()) published = "true";
    return fmt::format(R"sql(/* pg-capture: snapshot columns */
SELECT a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier,
       format_type(a.atttypid, NULL) AS type_name,
       c.relreplident = 'f' OR EXISTS (
           SELECT 1 FROM pg_index i
            WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
              AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                      WHEN 'i' THEN i.indisreplident ELSE false END)
         AS is_identity,
       c.relreplident AS identity, t.reltuples::bigint AS rows,
       pg_relation_size(t.oid) / current_setting('block_size')::bigint AS pages
  FROM pg_class c
  JOIN pg_class t ON t.oid = {}
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND {}
 WHERE c.oid = {}
 ORDER BY a.attnum)sql",
                       table.oid.value, published, shown.oid.value);
}

std::string split_query(const TableAddress& table, std::span<const std::string> key,
                        std::uint32_t parts, double percent) {
    const std::string columns = column_list(key);
    std::string texts;
    for (const std::string& column : key) {
        texts += (texts.empty() ? "" : ", ") + quote_name(column) + "::text";
    }
    return fmt::format(R"sql(/* pg-capture: split */
SELECT {0}
  FROM (SELECT {1}, row_number() OVER (ORDER BY {1}) AS "pgc#row", count(*) OVER () AS "pgc#rows"
          FROM ONLY {2} TABLESAMPLE SYSTEM ({3:.4f}) REPEATABLE (1)) s
 WHERE "pgc#rows" >= {4} * 10 AND "pgc#row" % ("pgc#rows" / {4}) = 0
   AND "pgc#row" / ("pgc#rows" / {4}) < {4}
 ORDER BY "pgc#row")sql",
                       texts, columns, place_of(table), percent, parts);
}

std::string copy_command(const CopyTask& task) {
    const std::string_view form = task.form == CopyForm::binary ? "binary" : "text";
    std::string rows;
    if (task.condition.empty() && task.order.empty() && task.limit == 0 && !task.columns.empty()) {
        // Cheaper than a query for the server.
        rows = fmt::format("{} ({})", place_of(task.table), column_list(task.columns));
    } else {
        rows =
            fmt::format("(SELECT {} FROM ONLY {}", column_list(task.columns), place_of(task.table));
        if (!task.condition.empty()) rows += " WHERE " + task.condition;
        if (!task.order.empty()) rows += " ORDER BY " + column_list(task.order);
        if (task.limit > 0) rows += fmt::format(" LIMIT {}", task.limit);
        rows += ')';
    }
    return fmt::format("COPY {} TO STDOUT (FORMAT {})", rows, form);
}

std::string pages_condition(std::uint32_t from, std::optional<std::uint32_t> upto) {
    std::string text = fmt::format("ctid >= '({},0)'", from);
    if (upto) text += fmt::format(" AND ctid < '({},0)'", *upto);
    return text;
}

}  // namespace pgc
