#include "postgres/check/ddl_trigger.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "core/own_messages.h"
#include "pgclient/answer.h"

namespace pgc {
namespace {

using Level = Finding::Level;

// The function runs with the rights of whoever changes a table, and with a search path of its own.
// It must never make that statement fail: whatever goes wrong in it is a warning. A secret can only
// be in a text between quotes; what may be one is not recorded, nor is anything that is looked for
// beyond what is.
constexpr std::string_view kFunction = R"sql(DECLARE
  query text := pg_catalog.left(pg_catalog.current_query(), 8001);
  secrets text := '\m(password|passwd|passphrase|passfile|secret|credential|token|identified)|://';
  one record;
BEGIN
  -- Of one statement about a table fewer words are suspicious than of a script.
  IF query !~* '^\s*(create|alter|drop|comment)\M[^;]*;?\s*$' THEN
    secrets := secrets || '|\m(role|user|group|mapping|server|subscription|dblink)\M';
  END IF;
  IF query ~ '[''$]' AND query ~* secrets THEN
    query := NULL;
  END IF;
  IF tg_event = 'ddl_command_end' THEN
    FOR one IN
      SELECT f.command, f.object_type, n.nspname::text AS schema_name, f.name, f.comment
        FROM (SELECT DISTINCT ON (c.classid, c.objid)
                     c.place, c.command_tag AS command,
                     CASE WHEN r.relkind IS NULL OR r.relkind = 'c' THEN 'type'
                          WHEN c.objsubid > 0 THEN 'table column' ELSE 'table' END AS object_type,
                     coalesce(r.relnamespace, t.typnamespace) AS namespace,
                     coalesce(r.relname, t.typname)::text AS name,
                     CASE WHEN c.command_tag = 'COMMENT' AND r.oid IS NOT NULL AND c.objsubid = 0
                          THEN pg_catalog.obj_description(r.oid, 'pg_class') END AS comment
                FROM pg_catalog.pg_event_trigger_ddl_commands() WITH ORDINALITY
                     AS c(classid, objid, objsubid, command_tag, object_type, schema_name,
                          object_identity, in_extension, command, place)
                LEFT JOIN pg_catalog.pg_class r
                  ON c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.oid = c.objid
                LEFT JOIN pg_catalog.pg_type t
                  ON c.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = c.objid
               WHERE NOT coalesce(c.in_extension, false)
                 AND (r.relkind IN ('r', 'p') AND r.relpersistence <> 't' OR r.relkind = 'c'
                      OR t.oid IS NOT NULL)
               ORDER BY c.classid, c.objid, c.place) AS f
        JOIN pg_catalog.pg_namespace n ON n.oid = f.namespace
       WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'cdc_registry', 'cdc_ddl')
         AND n.nspname !~ '^pg_(temp|toast)'
       ORDER BY f.place
    LOOP
      {0}
    END LOOP;
  ELSE
    FOR one IN
      SELECT tg_tag AS command, d.object_type, d.schema_name, d.object_name AS name,
             NULL::pg_catalog.text AS comment
        FROM pg_catalog.pg_event_trigger_dropped_objects() WITH ORDINALITY
             AS d(classid, objid, objsubid, original, normal, is_temporary, object_type,
                  schema_name, object_name, object_identity, address_names, address_args, place)
       WHERE (d.object_type = 'table' AND d.objsubid = 0 OR d.object_type = 'type' AND d.original)
         AND NOT d.is_temporary AND d.object_name IS NOT NULL
         AND d.schema_name NOT IN ('pg_catalog', 'information_schema', 'cdc_registry', 'cdc_ddl')
       ORDER BY d.place
    LOOP
      {0}
    END LOOP;
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'pg-capture does not record this %: %', tg_tag, SQLERRM;
END)sql";

// What the function does with `one`. From PostgreSQL 14 on pgoutput sends messages; before, rows of
// a table that is captured like any other are as near as one gets.
constexpr std::string_view kEmit =
    R"sql(PERFORM pg_catalog.pg_logical_emit_message(true, '{0}', pg_catalog.convert_to(
        pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
          'command', one.command, 'object_type', one.object_type, 'schema', one.schema_name,
          'name', one.name, 'comment', one.comment, 'statement', pg_catalog.left(query, 8000),
          'cut', CASE WHEN pg_catalog.length(query) > 8000 THEN true END))::text, 'UTF8'));)sql";
constexpr std::string_view kKeep = R"sql(INSERT INTO cdc_ddl.statements
        (command, object_type, object_schema, object_name, comment, statement, cut)
      VALUES (one.command, one.object_type, one.schema_name, one.name, one.comment,
        pg_catalog.left(query, 8000), pg_catalog.length(query) > 8000);)sql";

// {0}: the function's text, {1}: the version, {2}: its text before PostgreSQL 14.
constexpr std::string_view kInstall = R"sql(DO $pgc$
DECLARE
  theirs text;
BEGIN
  -- Whoever owns the schema or the function decides what runs in every session that changes a table.
  SELECT pg_catalog.pg_get_userbyid(n.nspowner) INTO theirs
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
   WHERE n.nspname = 'cdc_ddl' AND r.rolname <> current_user AND NOT r.rolsuper;
  IF FOUND THEN
    RAISE EXCEPTION 'the schema cdc_ddl belongs to %, who is not a superuser', theirs
      USING HINT = 'DROP SCHEMA cdc_ddl, or ALTER SCHEMA cdc_ddl OWNER TO CURRENT_USER, then run this again';
  END IF;
  PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
  DROP EVENT TRIGGER IF EXISTS pg_capture_ddl;
  DROP EVENT TRIGGER IF EXISTS pg_capture_drop;
  DROP FUNCTION IF EXISTS cdc_ddl.report_ddl();
  CREATE SCHEMA IF NOT EXISTS cdc_ddl;
  COMMENT ON SCHEMA cdc_ddl IS 'pg-capture: what pg-capture init --ddl installs, and init --ddl --remove removes';
  IF pg_catalog.current_setting('server_version_num')::int >= 140000 THEN
    CREATE FUNCTION cdc_ddl.report_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY INVOKER
      SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $report_ddl$
{0}
$report_ddl$;
  ELSE
    CREATE TABLE IF NOT EXISTS cdc_ddl.statements (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
      command text NOT NULL, object_type text NOT NULL, object_schema text NOT NULL,
      object_name text NOT NULL, comment text, statement text, cut boolean);
    COMMENT ON TABLE cdc_ddl.statements IS 'pg-capture: a row for each table and type that a statement changed; rows may be deleted';
    -- The function runs with the rights of whoever changes a table.
    GRANT USAGE ON SCHEMA cdc_ddl TO PUBLIC;
    GRANT INSERT ON cdc_ddl.statements TO PUBLIC;
    CREATE FUNCTION cdc_ddl.report_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY INVOKER
      SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $report_ddl$
{2}
$report_ddl$;
  END IF;
  REVOKE ALL ON FUNCTION cdc_ddl.report_ddl() FROM PUBLIC;
  COMMENT ON FUNCTION cdc_ddl.report_ddl() IS 'pg-capture, version {1}: reports each table and type that is created, altered, commented on or dropped';
  CREATE EVENT TRIGGER pg_capture_ddl ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'COMMENT', 'CREATE SCHEMA',
                 'CREATE TYPE', 'ALTER TYPE', 'CREATE DOMAIN', 'ALTER DOMAIN')
    EXECUTE PROCEDURE cdc_ddl.report_ddl();
  CREATE EVENT TRIGGER pg_capture_drop ON sql_drop
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP TYPE', 'DROP DOMAIN', 'DROP OWNED')
    EXECUTE PROCEDURE cdc_ddl.report_ddl();
  -- Also where session_replication_role is replica.
  ALTER EVENT TRIGGER pg_capture_ddl ENABLE ALWAYS;
  ALTER EVENT TRIGGER pg_capture_drop ENABLE ALWAYS;
END
$pgc$;
)sql";

constexpr std::string_view kRemove = R"sql(DO $pgc$
BEGIN
  PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
  DROP EVENT TRIGGER IF EXISTS pg_capture_ddl;
  DROP EVENT TRIGGER IF EXISTS pg_capture_drop;
  DROP FUNCTION IF EXISTS cdc_ddl.report_ddl();
  DROP TABLE IF EXISTS cdc_ddl.statements;
  DROP SCHEMA IF EXISTS cdc_ddl;
EXCEPTION WHEN dependent_objects_still_exist THEN
  RAISE EXCEPTION 'the schema cdc_ddl holds something that is not of pg-capture: nothing is removed'
    USING HINT = 'move what is yours to another schema, then run this again';
END
$pgc$;
)sql";

constexpr std::string_view kLook = R"sql(/* pg-capture: the event trigger */
SELECT count(*) AS triggers, count(*) FILTER (WHERE e.evtenabled = 'A') AS enabled,
       max(substring(obj_description(p.oid, 'pg_proc') FROM 'version ([0-9]+)')::int) AS version,
       coalesce(bool_or(strpos(p.prosrc, 'INSERT INTO cdc_ddl.statements') > 0), false) AS keeps,
       coalesce(current_setting('event_triggers', true), 'on') AS event_triggers,
       (SELECT bool_or(has_function_privilege('public', m.oid, 'EXECUTE')) FROM pg_proc m
         WHERE m.proname = 'pg_logical_emit_message' AND m.proargtypes[2] = 'bytea'::regtype
           AND m.pronamespace = 'pg_catalog'::regnamespace) AS may_emit
  FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'cdc_ddl' AND p.proname = 'report_ddl'
   AND e.evtname IN ('pg_capture_ddl', 'pg_capture_drop'))sql";

constexpr int kFlushedMessagesSince = 170000;

constexpr std::string_view kInstallHint =
    "as a superuser: pg-capture init --ddl, or run what pg-capture init --sql --ddl prints";

Finding warned(Finding finding, std::string message, std::string hint) {
    finding.level = Level::warning;
    finding.message = std::move(message);
    finding.hint = std::move(hint);
    return finding;
}

std::string grant_to_emit(int server_version) {
    return fmt::format(
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, bytea{}) TO "
        "PUBLIC",
        server_version >= kFlushedMessagesSince ? ", boolean" : "");
}

}  // namespace

std::string ddl_trigger_statement() {
    return fmt::format(kInstall, fmt::format(kFunction, fmt::format(kEmit, kDdlMessages)),
                       kDdlTriggerVersion, fmt::format(kFunction, kKeep));
}

std::string ddl_trigger_removal() {
    return std::string{kRemove};
}

Result<Finding> check_ddl_trigger(BlockingLink& link) {
    Finding finding{.id = "ddl_trigger", .subject = "DDL history"};
    const auto rows = link.ask(kLook);
    if (!rows) return std::unexpected(rows.error());
    Answer row{*rows};
    const auto triggers = row.number("triggers");
    const auto enabled = row.number("enabled");
    const bool has_messages = link.link().server_version() >= kDdlMessagesSince;
    const int version = row.is_null("version") ? 0 : static_cast<int>(row.number("version"));
    const bool keeps = row.flag("keeps");
    const bool on = row.text("event_triggers") == "on";
    const bool may_emit = row.flag("may_emit");
    if (!row.sound()) return std::unexpected(strange_answer("the event trigger"));
    if (triggers == 0) {
        finding.message =
            "is not kept: no event trigger reports statements that change definitions; a "
            "superuser "
            "installs it by pg-capture init --ddl";
    } else if (triggers < 2 || enabled < 2 || version < kDdlTriggerVersion) {
        return warned(std::move(finding),
                      version < kDdlTriggerVersion
                          ? fmt::format("the event trigger is of version {}, before version {}",
                                        version, kDdlTriggerVersion)
                          : "the event triggers are not both there and enabled as they are to be",
                      std::string{kInstallHint});
    } else if (keeps == has_messages) {  // pg_upgrade and dumps carry the function over
        return warned(std::move(finding),
                      fmt::format("the event trigger is the one of PostgreSQL {}: nothing that it "
                                  "reports is seen",
                                  has_messages ? "13 and before" : "14 and later"),
                      std::string{kInstallHint});
    } else if (!on) {
        return warned(std::move(finding), "is not kept: event_triggers is off, so none is called",
                      "ALTER SYSTEM SET event_triggers = on; SELECT pg_reload_conf()");
    } else if (has_messages && !may_emit) {
        return warned(std::move(finding),
                      "lacks what is done by roles that may not call pg_logical_emit_message",
                      grant_to_emit(link.link().server_version()));
    } else {
        finding.message = fmt::format("the event trigger is there, version {}", version);
        if (!has_messages) {
            finding.message +=
                fmt::format("; before PostgreSQL 14 what it reports is in {}", kDdlTable);
        }
    }
    return finding;
}

}  // namespace pgc
