#include "postgres/check/preparation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "pgclient/quote.h"
#include "postgres/setup/publication.h"

namespace pgc {
namespace {

// For a comment, which ends with its line.
std::string noted(std::string_view name) {
    std::string text = quote_name(name);
    std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
}

// name LIKE …, for a part of a pattern of ours.
std::string condition(std::string_view column, const NamePattern& pattern, std::size_t part) {
    if (pattern.any(part)) return "true";
    if (const auto name = pattern.literal(part)) {
        return fmt::format("{} = {}", column, quote_text(*name));
    }
    return fmt::format("{} LIKE {}", column, quote_text(pattern.like(part)));
}

std::string any_of(const std::vector<NamePattern>& patterns) {
    std::string sql;
    for (const NamePattern& pattern : patterns) {
        sql +=
            fmt::format("{}{} AND {}", sql.empty() ? "" : " OR ",
                        condition("schema_name", pattern, 0), condition("table_name", pattern, 1));
    }
    return sql.empty() ? "false" : sql;
}

// The quotes of a block, which a name in it must not end.
std::string quoted_by(std::string_view tag, std::string_view sql) {
    constexpr std::string_view kQuote = "$pgc$";
    std::string text;
    for (std::size_t at = 0;;) {
        const auto found = sql.find(kQuote, at);
        text += sql.substr(at, found - at);
        if (found == std::string_view::npos) return text;
        text += fmt::format("${}$", tag);
        at = found + kQuote.size();
    }
}

template <typename... Names>
std::string filled(std::string_view tag, std::string_view sql, const Names&... names) {
    return fmt::format(fmt::runtime(quoted_by(tag, sql)), names...);
}

std::string head(const PostgresConfig& config, std::string_view tag) {
    return filled(
        tag,
        R"sql(-- What pg-capture needs of the server, made from its configuration. To be run in the database
-- by a superuser, or by who owns the tables and may make roles, publications and slots:
--
--   pg-capture init --sql | psql -d {0}
--
-- Run once more it adds what is missing. pg-capture check then shows whether all is there.
\set ON_ERROR_STOP on

DO $pgc$
BEGIN
  IF current_database() <> {1} THEN
    RAISE EXCEPTION 'this is database %: the configuration names another one', current_database();
  END IF;
  IF current_setting('wal_level') <> 'logical' THEN
    RAISE EXCEPTION 'wal_level is %', current_setting('wal_level')
      USING HINT = 'ALTER SYSTEM SET wal_level = logical; restart the server; then run this again';
  END IF;
END
$pgc$;
)sql",
        noted(config.connection.database), quote_text(config.connection.database));
}

std::string role(const PostgresConfig& config, std::string_view tag) {
    return filled(tag,
                  R"sql(
-- The role. Its password is not in here: \password {3}
-- pg_hba.conf must let it into the database; a line for database "replication" is not needed.
DO $pgc$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {1}) THEN
    CREATE ROLE {0} LOGIN;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication') THEN
    GRANT rds_replication TO {0};
  ELSIF NOT (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = {1}) THEN
    ALTER ROLE {0} REPLICATION;
  END IF;
END
$pgc$;
GRANT CONNECT ON DATABASE {2} TO {0};
)sql",
                  quote_name(config.connection.username), quote_text(config.connection.username),
                  quote_name(config.connection.database), noted(config.connection.username));
}

// Servers before 13 publish no partitioned tables, so there their partitions are named. A table
// without a replica identity goes into a second publication (setup/publication.h), or stays out
// where the slot is older than that.
constexpr std::string_view kPublications = R"sql(
-- The publication, and SELECT on what it publishes. A table that is made later joins it when this is
-- run again, or by ALTER PUBLICATION {0} ADD TABLE ... and GRANT SELECT ON ... TO {1}.
DO $pgc$
DECLARE
  version int := current_setting('server_version_num');
  others text := '' || CASE WHEN version >= 110000 THEN ', truncate' ELSE '' END || ''''
      || CASE WHEN version >= 130000 THEN ', publish_via_partition_root = {4}' ELSE '' END
      || CASE WHEN version >= 180000 THEN ', publish_generated_columns = stored' ELSE '' END || ')';
  two boolean;
  place text;
  one record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = {2}) THEN
    EXECUTE format('CREATE PUBLICATION %I', {2}) || ' WITH (publish = ''insert, update, delete' || others;
    -- A second one, for inserts and truncates of tables without a replica identity: publishing
    -- updates of them would make the server refuse the application's.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {7}) THEN
      EXECUTE format('CREATE PUBLICATION %I', {8}) || ' WITH (publish = ''insert' || others;
      EXECUTE format('COMMENT ON PUBLICATION %I IS %L', {2}, {9});
    END IF;
  END IF;
  two := EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = {8})
     AND EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = {2}
                    AND pg_catalog.obj_description(oid, 'pg_publication') = {9});
)sql";
constexpr std::string_view kTheirTables = R"sql(  FOR one IN
    WITH RECURSIVE tables AS (
      SELECT c.oid, n.nspname AS schema_name, c.relname AS table_name, c.relkind AS kind,
             i.inhparent AS parent,
             c.relkind = 'p' AND version < 110000 OR c.relreplident = 'f' OR EXISTS (
               SELECT FROM pg_catalog.pg_index x
                WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisvalid
                  AND CASE c.relreplident WHEN 'd' THEN x.indisprimary
                                          WHEN 'i' THEN x.indisreplident END) AS identifiable
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
       WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384
         AND left(n.nspname, 3) <> 'pg_' AND n.nspname NOT IN ('information_schema', 'cdc_registry')
    ), meant AS (
      SELECT oid FROM tables WHERE ({5}) AND NOT ({6})
       UNION
      SELECT t.oid FROM tables t JOIN meant m ON t.parent = m.oid
    )
    SELECT t.*, EXISTS (SELECT FROM meant m WHERE m.oid = t.parent) AS through_root
      FROM tables t
     WHERE oid IN (SELECT oid FROM meant) AND NOT ({6})
     ORDER BY schema_name, table_name
  LOOP
    place := CASE WHEN two AND NOT one.identifiable THEN {8} ELSE {2} END;
    IF two AND NOT one.identifiable THEN
      RAISE WARNING '%.% has no replica identity: updates and deletes are not captured', one.schema_name, one.table_name
        USING HINT = format('give it a primary key, or ALTER TABLE %I.%I REPLICA IDENTITY FULL, and '
                            'run this again', one.schema_name, one.table_name);
    ELSIF NOT one.identifiable THEN
      RAISE WARNING '%.% has no replica identity and is left out', one.schema_name, one.table_name
        USING HINT = format('give it a primary key, or ALTER TABLE %I.%I REPLICA IDENTITY FULL, and '
                            'run this again', one.schema_name, one.table_name);
      CONTINUE;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', one.schema_name, {3});
    EXECUTE format('GRANT SELECT ON %I.%I TO %I', one.schema_name, one.table_name, {3});
    IF version >= 130000 AND one.through_root OR version < 130000 AND one.kind = 'p'
       OR EXISTS (SELECT FROM pg_catalog.pg_publication p
                    LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
                   WHERE p.pubname = place AND (p.puballtables OR r.prrelid = one.oid)) THEN
      CONTINUE;
    END IF;
    IF two AND EXISTS (SELECT FROM pg_catalog.pg_publication p
                         JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
                        WHERE p.pubname = CASE WHEN one.identifiable THEN {8} ELSE {2} END
                          AND r.prrelid = one.oid) THEN
      EXECUTE format('ALTER PUBLICATION %I DROP TABLE ONLY %I.%I',
                     CASE WHEN one.identifiable THEN {8} ELSE {2} END, one.schema_name, one.table_name);
    END IF;
    EXECUTE format('ALTER PUBLICATION %I ADD TABLE %s%I.%I', place,
                   CASE WHEN one.kind = 'r' THEN 'ONLY ' ELSE '' END,
                   one.schema_name, one.table_name);
  END LOOP;
END
$pgc$;
)sql";

std::string publications(const PostgresConfig& config, std::string_view tag) {
    return filled(
        tag, std::string{kPublications} + std::string{kTheirTables}, noted(config.publication),
        noted(config.connection.username), quote_text(config.publication),
        quote_text(config.connection.username), config.publish_via_partition_root,
        any_of(config.tables.include()), any_of(config.tables.exclude()), quote_text(config.slot),
        quote_text(inserts_publication(config.publication)), quote_text(prepared_note(config)));
}

std::string slot(const PostgresConfig& config, std::string_view tag) {
    return filled(tag,
                  R"sql(
-- The slot, last: it finds no publication that is made after it. From here on the server keeps its
-- log until pg-capture has read it. An end to it: pg-capture slots drop {0}
-- (what it still holds is lost).
DO $pgc$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {1}) THEN
    RETURN;
  END IF;
  IF current_setting('server_version_num')::int >= 170000 THEN
    EXECUTE 'SELECT pg_catalog.pg_create_logical_replication_slot($1, $2, twophase => {2}, failover => true)'
      USING {1}::name, 'pgoutput'::name;
  ELSIF {2} AND current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'SELECT pg_catalog.pg_create_logical_replication_slot($1, $2, twophase => true)'
      USING {1}::name, 'pgoutput'::name;
  ELSE
    PERFORM pg_catalog.pg_create_logical_replication_slot({1}, 'pgoutput');
  END IF;
END
$pgc$;
)sql",
                  config.slot, quote_text(config.slot), config.two_phase);
}

std::string script(const PostgresConfig& config, std::string_view tag) {
    return head(config, tag) + role(config, tag) + publications(config, tag) + slot(config, tag);
}

}  // namespace

std::string preparation_sql(const PostgresConfig& config) {
    const std::string names = script(config, "");
    std::string tag = "pgc";
    while (names.contains(fmt::format("${}$", tag))) tag += '_';
    return script(config, tag);
}

}  // namespace pgc
