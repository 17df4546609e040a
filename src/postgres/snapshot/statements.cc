#include "postgres/snapshot/statements.h"

#include <fmt/core.h>

#include "pgclient/quote.h"
#include "postgres/catalog/lineage.h"

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

std::string snapshot_tables_query(int version, const std::vector<std::string>& publications) {
    // A root whose rows come as its own is read partition by partition. The largest come first,
    // TOASTed values included, so that none of them is begun when all others are done.
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
       coalesce(pg_relation_size(c.oid), 0) AS bytes, {} AS filter,
       coalesce({}, '') AS above
  FROM pg_publication_tables p
  JOIN pg_namespace sn ON sn.nspname = p.schemaname
  JOIN pg_class s ON s.relnamespace = sn.oid AND s.relname = p.tablename{}
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE p.pubname IN ({}) AND c.relkind = 'r'
 ORDER BY pg_table_size(c.oid) DESC NULLS LAST, c.oid)sql",
                       version >= 150000 ? "coalesce(p.rowfilter, '')" : "''", lineage_sql("s.oid"),
                       leaves, quote_texts(publications));
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
        "pg_relation_filenode({}::oid) = (SELECT relfilenode FROM pg_class WHERE oid = {}) "
        "AS same, t.* FROM (SELECT 1) one LEFT JOIN ONLY {} t ON false",
        quote_text(opening.snapshot), kLockPatience, place, timeout_ms, quote_text(place),
        opening.table.oid.value, opening.table.oid.value, opening.table.oid.value, place);
}

std::string check_condition_query(const TableAddress& table, std::string_view condition) {
    return fmt::format(
        "/* pg-capture: check condition */ SELECT 1 FROM ONLY {} WHERE ({}\n) LIMIT 0",
        place_of(table), condition);
}

std::string check_expression_query(const TableAddress& table, std::string_view condition) {
    return fmt::format("/* pg-capture: check condition */ SELECT ARRAY[{}\n] FROM ONLY {} LIMIT 0",
                       condition, place_of(table));
}

std::string snapshot_columns_query(int version, const std::vector<std::string>& publications,
                                   const TableAddress& table, const TableAddress& shown) {
    std::string published;
    if (version >= 150000) {
        published = fmt::format(
            "a.attname = ANY ((SELECT p.attnames FROM pg_publication_tables p "
            "WHERE p.pubname IN ({}) AND p.schemaname = {} AND p.tablename = {} LIMIT 1)::name[])",
            quote_texts(publications), quote_text(shown.schema), quote_text(shown.name));
    }
    // Before 18 these are listed here and there, and never sent.
    if (version >= 120000 && version < 180000) {
        published += published.empty() ? "a.attgenerated = ''" : " AND a.attgenerated = ''";
    }
    if (published.empty()) published = "true";
    return fmt::format(R"sql(/* pg-capture: snapshot columns */
SELECT a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier,
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

namespace {

// 403 is btree. An index of another kind (a primary key WITHOUT OVERLAPS is one of GiST) has no
// order: then it is the type's usual one. INCLUDE columns, 11 and later, are no key's.
constexpr char kTableOrder[] = R"sql(/* pg-capture: snapshot order */
WITH RECURSIVE was(number, name, type, modifier, version, fills) AS (
    SELECT attnum, attname, atttypid, atttypmod, a.xmin::text,
           atthasdef OR attidentity <> '' OR typdefault IS NOT NULL{4}
      FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
     WHERE attrelid = {0} AND attnum > 0 AND NOT attisdropped
  UNION ALL
    SELECT c.number, c.name, t.typbasetype, t.typtypmod, c.version,
           c.fills OR t.typdefault IS NOT NULL
      FROM was c JOIN pg_type t ON t.oid = c.type WHERE t.typtype = 'd'
), parts AS (
    SELECT i.indexrelid, i.indisprimary, a.attname AS name, i.indclass[p.place - 1] AS class,
           i.indcollation[p.place - 1] AS collation, x.relam AS method
      FROM pg_index i
      JOIN pg_class x ON x.oid = i.indexrelid
      CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS p(attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum
     WHERE i.indrelid = {1} AND (i.indisprimary OR i.indisreplident) AND i.indisvalid
       AND i.indpred IS NULL AND p.place <= i.{2}
), chosen AS (
    SELECT indexrelid FROM parts GROUP BY indexrelid, indisprimary
    HAVING array_agg(name ORDER BY name) =
           (SELECT array_agg(k ORDER BY k) FROM unnest(ARRAY[{3}]::name[]) k)
     ORDER BY indisprimary DESC LIMIT 1
), ordered AS (
    SELECT p.name, p.collation, p.indexrelid AS index, o.opcfamily AS family,
           o.opcintype AS type,
           CASE WHEN o.opcdefault AND o.opcnamespace = 'pg_catalog'::regnamespace
                     AND p.collation IN (0, 100) THEN ''
                ELSE o.oid || '.' || p.collation END AS unusual
      FROM chosen
      JOIN parts p ON p.indexrelid = chosen.indexrelid
      JOIN pg_opclass own ON own.oid = p.class
      JOIN pg_opclass o ON o.opcmethod = 403
       AND CASE WHEN p.method = 403 THEN o.oid = own.oid
                ELSE o.opcdefault AND o.opcintype = own.opcintype END
), operators AS (
    SELECT o.name, m.amopstrategy AS strategy,
           format('OPERATOR(%I.%s)', n.nspname, r.oprname) AS operator
      FROM ordered o
      JOIN pg_amop m ON m.amopfamily = o.family AND m.amopmethod = 403 AND m.amoppurpose = 's'
       AND m.amoplefttype = o.type AND m.amoprighttype = o.type
      JOIN pg_operator r ON r.oid = m.amopopr
      JOIN pg_namespace n ON n.oid = r.oprnamespace
)
SELECT c.number, c.name, c.type, c.modifier, format_type(c.type, -1) AS type_name,
       (SELECT format('%I.%I', n.nspname, l.collname) FROM pg_collation l
          JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = o.collation) AS collation,
       (SELECT operator FROM operators WHERE name = o.name AND strategy = 1) AS less,
       (SELECT operator FROM operators WHERE name = o.name AND strategy = 2) AS at_most,
       (SELECT operator FROM operators WHERE name = o.name AND strategy = 3) AS equal,
       (SELECT operator FROM operators WHERE name = o.name AND strategy = 4) AS at_least,
       (SELECT operator FROM operators WHERE name = o.name AND strategy = 5) AS greater,
       o.unusual, o.index || '.' || c.version AS version, c.version AS made, c.fills,
       (SELECT relfilenode FROM pg_class WHERE oid = {0}) AS file
  FROM was c
  JOIN pg_type t ON t.oid = c.type AND t.typtype <> 'd'
  LEFT JOIN ordered o ON o.name = c.name
 ORDER BY c.number)sql";

}  // namespace

std::string snapshot_order_query(int version, const TableAddress& table, const TableAddress& shown,
                                 std::span<const std::string> key) {
    std::string names;
    for (const std::string& name : key) names += (names.empty() ? "" : ", ") + quote_text(name);
    return fmt::format(kTableOrder, table.oid.value, shown.oid.value,
                       version >= 110000 ? "indnkeyatts" : "indnatts", names,
                       version >= 110000 ? " OR atthasmissing" : "");
}

std::string split_query(const TableAddress& table, std::span<const OrderedColumn> key,
                        std::uint32_t parts, double percent) {
    std::string columns;
    std::string texts;
    for (const OrderedColumn& column : key) {
        columns += (columns.empty() ? "" : ", ") + quote_name(column.name);
        texts += (texts.empty() ? "" : ", ") + quote_name(column.name) + "::text";
    }
    return fmt::format(R"sql(/* pg-capture: split */
SELECT {0}
  FROM (SELECT {1}, row_number() OVER (ORDER BY {5}) AS "pgc#row", count(*) OVER () AS "pgc#rows"
          FROM ONLY {2} TABLESAMPLE SYSTEM ({3:.4f}) REPEATABLE (1)) s
 WHERE "pgc#rows" >= {4} * 10 AND "pgc#row" % ("pgc#rows" / {4}) = 0
   AND "pgc#row" / ("pgc#rows" / {4}) < {4}
 ORDER BY "pgc#row")sql",
                       texts, columns, place_of(table), percent, parts, order_list(key));
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
        if (!task.order.empty()) rows += " ORDER BY " + task.order;
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
