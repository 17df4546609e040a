#include "sink/file_registry/schema.h"

#include <fmt/format.h>

#include <array>

#include "pgclient/quote.h"

namespace pgc {
namespace {

// {0}: the version, {1}: what makes it. The schema may have been made for us, empty.
constexpr std::string_view kStep = R"sql(DO $pgc$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock(1885824868, 1);
  IF pg_catalog.to_regnamespace('cdc_registry') IS NULL THEN
    CREATE SCHEMA cdc_registry;
    COMMENT ON SCHEMA cdc_registry IS 'pg-capture: which files are complete, and how far they go';
  END IF;
  IF pg_catalog.to_regclass('cdc_registry.schema_version') IS NULL THEN
    CREATE TABLE cdc_registry.schema_version (
      version integer PRIMARY KEY,
      installed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
      installed_by text NOT NULL DEFAULT session_user);
    COMMENT ON TABLE cdc_registry.schema_version IS 'The versions of these tables, the largest is theirs';
  END IF;
  IF NOT EXISTS (SELECT FROM cdc_registry.schema_version WHERE version >= {0}) THEN
{1}
    INSERT INTO cdc_registry.schema_version (version) VALUES ({0});
    INSERT INTO cdc_registry.audit (what, details) VALUES ('migration', 'version {0}');
  END IF;
END
$pgc$;
)sql";

constexpr std::string_view kFirst = R"sql(
CREATE TABLE cdc_registry.pipeline (
  name text PRIMARY KEY,
  generation bigint NOT NULL,
  seal bigint NOT NULL,
  position bytea,
  resume_at pg_lsn,
  last_batch text NOT NULL DEFAULT '',
  last_id bigint NOT NULL DEFAULT 0,
  taken_over_at timestamptz,
  sealed_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE cdc_registry.pipeline IS 'The pipelines that write files, and how far each has got';
COMMENT ON COLUMN cdc_registry.pipeline.generation IS 'Rises each time an instance takes it over; those before can commit nothing more';
COMMENT ON COLUMN cdc_registry.pipeline.seal IS 'Number of the last transaction that registered files';
COMMENT ON COLUMN cdc_registry.pipeline.position IS 'Where the stream continues: a text of pg-capture''s; null: nowhere yet';
COMMENT ON COLUMN cdc_registry.pipeline.resume_at IS 'The LSN in position: what committed before is in registered files, or in those of batch_progress';
COMMENT ON COLUMN cdc_registry.pipeline.last_batch IS 'The newest name of a batch that was given out';

CREATE TABLE cdc_registry.file_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline text NOT NULL,
  seal bigint NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  batch text NOT NULL,
  path text NOT NULL,
  type text NOT NULL CHECK (type IN ('streaming', 'full_reload', 'ddl')),
  begin_lsn pg_lsn NOT NULL,
  end_lsn pg_lsn NOT NULL,
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  checksum text NOT NULL,
  has_ddl boolean NOT NULL,
  cut boolean NOT NULL,
  closed_at timestamptz NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  loaded boolean NOT NULL DEFAULT false,
  loaded_at timestamptz,
  UNIQUE (pipeline, path));
CREATE INDEX file_log_by_table ON cdc_registry.file_log (pipeline, table_schema, table_name, end_lsn);
CREATE INDEX file_log_by_lsn ON cdc_registry.file_log (end_lsn);
CREATE INDEX file_log_by_time ON cdc_registry.file_log (closed_at);
CREATE INDEX file_log_to_load ON cdc_registry.file_log (pipeline, id) WHERE NOT loaded;
COMMENT ON TABLE cdc_registry.file_log IS 'Files that are complete; a file without a row is not one to load';
COMMENT ON COLUMN cdc_registry.file_log.id IS 'Of one pipeline''s files, a larger one was never visible before a smaller one';
COMMENT ON COLUMN cdc_registry.file_log.seal IS 'The transaction that registered it: pipeline.seal at the time';
COMMENT ON COLUMN cdc_registry.file_log.batch IS 'Name of the batch; names sort in commit order';
COMMENT ON COLUMN cdc_registry.file_log.path IS 'Below the root of the files';
COMMENT ON COLUMN cdc_registry.file_log.type IS 'streaming: changes in commit order; full_reload: all rows as of end_lsn; ddl: statements';
COMMENT ON COLUMN cdc_registry.file_log.begin_lsn IS 'The first commit in it';
COMMENT ON COLUMN cdc_registry.file_log.end_lsn IS 'The last commit in it';
COMMENT ON COLUMN cdc_registry.file_log.bytes IS 'As it lies on the disk, compressed';
COMMENT ON COLUMN cdc_registry.file_log.checksum IS 'crc32c: and eight hexadecimal digits, over those bytes';
COMMENT ON COLUMN cdc_registry.file_log.has_ddl IS 'The table was altered within its batch';
COMMENT ON COLUMN cdc_registry.file_log.cut IS 'Its last transaction continues in the table''s next batch';
COMMENT ON COLUMN cdc_registry.file_log.loaded IS 'For the loader to set; files that are loaded may be cleaned up';

CREATE TABLE cdc_registry.table_state (
  pipeline text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  folder text,
  state text NOT NULL CHECK (state IN ('streaming', 'pending_reload', 'reloading')),
  last_batch text,
  last_end_lsn pg_lsn,
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (pipeline, table_schema, table_name),
  UNIQUE (pipeline, table_schema, folder));
COMMENT ON TABLE cdc_registry.table_state IS 'What each table is at';
COMMENT ON COLUMN cdc_registry.table_state.folder IS 'Where its files lie, below the root';
COMMENT ON COLUMN cdc_registry.table_state.state IS 'streaming; pending_reload: a reload is asked for; reloading: it is under way';
COMMENT ON COLUMN cdc_registry.table_state.last_batch IS 'Its last batch that is complete';
COMMENT ON COLUMN cdc_registry.table_state.last_end_lsn IS 'The last commit in a file of it that is complete';

CREATE TABLE cdc_registry.batch_progress (
  pipeline text NOT NULL,
  id bigint NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  type text NOT NULL CHECK (type IN ('streaming', 'full_reload', 'ddl')),
  bytes bigint NOT NULL,
  row_count bigint NOT NULL,
  checksum text NOT NULL,
  first_lsn pg_lsn NOT NULL,
  last_lsn pg_lsn NOT NULL,
  opened_at timestamptz NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  details text NOT NULL,
  PRIMARY KEY (pipeline, id));
COMMENT ON TABLE cdc_registry.batch_progress IS 'Files that are being written: not for loaders';
COMMENT ON COLUMN cdc_registry.batch_progress.bytes IS 'What of it is certain; what lies beyond is cut off after a crash and comes again';
COMMENT ON COLUMN cdc_registry.batch_progress.details IS 'Of pg-capture''s own';

CREATE TABLE cdc_registry.reload_operation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('requested', 'running', 'complete', 'failed')),
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  start_lsn pg_lsn,
  end_lsn pg_lsn,
  row_count bigint,
  problem text);
CREATE INDEX reload_operation_by_table ON cdc_registry.reload_operation (pipeline, table_schema, table_name, id);
CREATE INDEX reload_operation_by_time ON cdc_registry.reload_operation (requested_at);
COMMENT ON TABLE cdc_registry.reload_operation IS 'Reloads of whole tables';
COMMENT ON COLUMN cdc_registry.reload_operation.start_lsn IS 'Where EXPORT_START was seen in the stream';
COMMENT ON COLUMN cdc_registry.reload_operation.end_lsn IS 'As of which the rows are in full_reload files';

CREATE TABLE cdc_registry.ddl_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline text NOT NULL,
  seal bigint NOT NULL,
  happened_at timestamptz NOT NULL,
  commit_lsn pg_lsn NOT NULL,
  object_type text NOT NULL,
  object_schema text NOT NULL,
  object_name text NOT NULL,
  command text NOT NULL,
  statement text);
CREATE INDEX ddl_history_by_lsn ON cdc_registry.ddl_history (pipeline, commit_lsn);
CREATE INDEX ddl_history_by_time ON cdc_registry.ddl_history (happened_at);
COMMENT ON TABLE cdc_registry.ddl_history IS 'Statements that changed definitions, as the stream has shown them';
COMMENT ON COLUMN cdc_registry.ddl_history.command IS 'What was done, as ALTER TABLE';
COMMENT ON COLUMN cdc_registry.ddl_history.statement IS 'What the session had sent; null: it is not recorded';

CREATE TABLE cdc_registry.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  pipeline text,
  what text NOT NULL,
  who text NOT NULL DEFAULT session_user,
  session text NOT NULL DEFAULT pg_catalog.current_setting('application_name'),
  details text NOT NULL DEFAULT '');
CREATE INDEX audit_by_time ON cdc_registry.audit (at);
COMMENT ON TABLE cdc_registry.audit IS 'What was done to the registry other than registering files, and by whom';
)sql";

constexpr std::array kSteps{kFirst};
static_assert(kSteps.size() == kRegistryVersion);

}  // namespace

std::string registry_statements() {
    std::string all;
    for (std::size_t i = 0; i < kSteps.size(); ++i) {
        all += fmt::format(kStep, i + 1, kSteps[i]);
    }
    return all;
}

std::string registry_writer_grants(std::string_view role) {
    return fmt::format(
        "GRANT USAGE ON SCHEMA cdc_registry TO {0}; "
        "GRANT SELECT ON cdc_registry.schema_version TO {0}; "
        "GRANT SELECT, INSERT, UPDATE ON cdc_registry.pipeline, cdc_registry.table_state, "
        "cdc_registry.reload_operation TO {0}; "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON cdc_registry.batch_progress TO {0}; "
        "GRANT SELECT, INSERT, DELETE ON cdc_registry.file_log TO {0}; "
        "GRANT SELECT, INSERT ON cdc_registry.ddl_history, cdc_registry.audit TO {0};",
        quote_name(role));
}

// What is in a position is ours: keys of rows, while a snapshot is under way.
std::string registry_loader_grants(std::string_view role) {
    return fmt::format(
        "GRANT USAGE ON SCHEMA cdc_registry TO {0}; "
        "GRANT SELECT ON cdc_registry.schema_version, cdc_registry.file_log, "
        "cdc_registry.table_state, cdc_registry.batch_progress, cdc_registry.reload_operation, "
        "cdc_registry.ddl_history, cdc_registry.audit TO {0}; "
        "GRANT SELECT (name, generation, seal, resume_at, last_batch, taken_over_at, sealed_at) ON "
        "cdc_registry.pipeline TO {0}; "
        "GRANT UPDATE (loaded, loaded_at) ON cdc_registry.file_log TO {0};",
        quote_name(role));
}

}  // namespace pgc
