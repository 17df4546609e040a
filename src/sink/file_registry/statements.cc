#include "sink/file_registry/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "core/position_text.h"
#include "pgclient/answer.h"
#include "sink/file_registry/array_text.h"
#include "sink/file_registry/checksum.h"
#include "sink/file_registry/reload_rows.h"

namespace pgc {
namespace {

// What is answered is on the disk, whatever the role or the database sets: the slot is confirmed
// after it.
constexpr std::string_view kDurably =
    "CASE WHEN current_setting('synchronous_commit') = 'off' "
    "THEN set_config('synchronous_commit', 'on', true) END AS durably";

constexpr std::string_view kLook = R"sql(/* pg-capture: registry */
SELECT (SELECT max(version) FROM cdc_registry.schema_version) AS version, p.generation, p.seal,
       p.position
  FROM (SELECT 1) AS one(n) LEFT JOIN cdc_registry.pipeline p ON p.name = $1)sql";

// It is no seal: a number that a sink has given to one that it did not commit stays free.
constexpr std::string_view kSave = R"sql(/* pg-capture: save a position in the registry */
WITH ours AS (
  INSERT INTO cdc_registry.pipeline AS p (name, generation, seal, position, resume_at, sealed_at)
  VALUES ($1, 1, 0, $2::bytea, $3::pg_lsn, clock_timestamp())
  ON CONFLICT (name) DO UPDATE
     SET generation = p.generation + 1, position = EXCLUDED.position,
         resume_at = EXCLUDED.resume_at, sealed_at = EXCLUDED.sealed_at
   WHERE p.generation = $4::bigint AND p.seal = $5::bigint
  RETURNING name, generation, seal
), noted AS (
  INSERT INTO cdc_registry.audit (pipeline, what, details)
  SELECT name, 'position saved', $3::pg_lsn::text FROM ours)
SELECT generation, seal, {} FROM ours)sql";

constexpr std::string_view kForget = R"sql(/* pg-capture: forget a position in the registry */
WITH ours AS (
  UPDATE cdc_registry.pipeline SET generation = generation + 1, position = NULL, resume_at = NULL
   WHERE name = $1
  RETURNING name
), tables AS (
  UPDATE cdc_registry.table_state t SET state = 'streaming', updated_at = clock_timestamp()
    FROM ours WHERE t.pipeline = ours.name AND t.state <> 'streaming'
), reloads AS (
  UPDATE cdc_registry.reload_operation r
     SET state = 'failed', finished_at = clock_timestamp(), problem = 'the position was forgotten'
    FROM ours WHERE r.pipeline = ours.name AND r.state IN ('requested', 'running')
), noted AS (
  INSERT INTO cdc_registry.audit (pipeline, what) SELECT name, 'position forgotten' FROM ours)
SELECT name, {} FROM ours)sql";

constexpr std::string_view kTakeOver = R"sql(/* pg-capture: take the registry over */
WITH ours AS (
  INSERT INTO cdc_registry.pipeline AS p (name, generation, seal, taken_over_at)
  VALUES ($1, 1, 0, clock_timestamp())
  ON CONFLICT (name) DO UPDATE
     SET generation = p.generation + 1, taken_over_at = EXCLUDED.taken_over_at
  RETURNING name, generation, seal, position, last_batch, last_id
), noted AS (
  INSERT INTO cdc_registry.audit (pipeline, what, details)
  SELECT name, 'taken over', 'generation ' || generation || ', seal ' || seal FROM ours)
SELECT generation, seal, position, last_batch, last_id, {} FROM ours)sql";

constexpr std::string_view kContent = R"sql(/* pg-capture: content of the registry */
SELECT 'pipeline' AS what, generation AS id, '' AS schema, '' AS name, '' AS type, 0 AS bytes,
       0 AS row_count, '' AS checksum, NULL::pg_lsn AS first_lsn, NULL::pg_lsn AS last_lsn,
       0 AS opened_us, '' AS details
  FROM cdc_registry.pipeline WHERE name = $1
UNION ALL
SELECT 'open', id, table_schema, table_name, type, bytes, row_count, checksum, first_lsn, last_lsn,
       (extract(epoch FROM opened_at) * 1000000)::bigint, details
  FROM cdc_registry.batch_progress WHERE pipeline = $1
UNION ALL
SELECT 'table', 0, table_schema, table_name, state, 0, 0, '', NULL, NULL, 0, folder
  FROM cdc_registry.table_state WHERE pipeline = $1
UNION ALL
SELECT 'reload', id, table_schema, table_name, state, 0, 0, '', start_lsn, NULL,
       (extract(epoch FROM requested_at) * 1000000)::bigint, requested_by
  FROM cdc_registry.reload_operation
 WHERE pipeline = $1 AND state IN ('requested', 'running')
 ORDER BY what, id, schema, name)sql";

constexpr std::string_view kCommit = R"sql(/* pg-capture: seal */
WITH ours AS (
  UPDATE cdc_registry.pipeline
     SET seal = seal + 1, position = $4::bytea, resume_at = $5::pg_lsn,
         last_batch = coalesce(nullif($6::text, ''), last_batch),
         last_id = greatest(last_id, $7::bigint), sealed_at = clock_timestamp()
   WHERE name = $1 AND generation = $2::bigint AND seal = $3::bigint
  RETURNING name, seal
), complete AS (
  INSERT INTO cdc_registry.file_log
         (pipeline, seal, table_schema, table_name, type, batch, path, begin_lsn, end_lsn,
          row_count, bytes, checksum, has_ddl, cut, closed_at)
  SELECT o.name, o.seal, f.schema, f.name, f.type, f.batch, f.path, f.first, f.last,
         f.row_count, f.bytes, f.checksum, f.has_ddl, f.cut,
         timestamptz 'epoch' + f.at * interval '1 microsecond'
    FROM ours o,
         unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::pg_lsn[],
                $14::pg_lsn[], $15::bigint[], $16::bigint[], $17::text[], $18::boolean[],
                $19::boolean[], $20::bigint[])
           WITH ORDINALITY AS f(schema, name, type, batch, path, first, last, row_count, bytes,
                                checksum, has_ddl, cut, at, place)
   ORDER BY f.place
), closed AS (
  DELETE FROM cdc_registry.batch_progress b USING ours o
   WHERE b.pipeline = o.name AND b.id = ANY ($21::bigint[])
), open AS (
  INSERT INTO cdc_registry.batch_progress
         (pipeline, id, table_schema, table_name, type, bytes, row_count, checksum, first_lsn,
          last_lsn, opened_at, details)
  SELECT o.name, f.id, f.schema, f.name, f.type, f.bytes, f.row_count, f.checksum, f.first,
         f.last, timestamptz 'epoch' + f.at * interval '1 microsecond', f.details
    FROM ours o,
         unnest($22::bigint[], $23::text[], $24::text[], $25::text[], $26::bigint[],
                $27::bigint[], $28::text[], $29::pg_lsn[], $30::pg_lsn[], $31::bigint[],
                $32::text[])
           AS f(id, schema, name, type, bytes, row_count, checksum, first, last, at, details)
  ON CONFLICT (pipeline, id) DO UPDATE
     SET table_schema = EXCLUDED.table_schema, table_name = EXCLUDED.table_name,
         type = EXCLUDED.type, bytes = EXCLUDED.bytes, row_count = EXCLUDED.row_count,
         checksum = EXCLUDED.checksum, first_lsn = EXCLUDED.first_lsn,
         last_lsn = EXCLUDED.last_lsn, opened_at = EXCLUDED.opened_at,
         sealed_at = EXCLUDED.sealed_at, details = EXCLUDED.details
), changed AS (
  SELECT o.name AS pipeline, f.*
    FROM ours o,
         unnest($33::text[], $34::text[], $35::text[], $36::text[], $37::text[], $38::pg_lsn[])
           AS f(schema, name, folder, state, batch, last)
), tables AS (
  INSERT INTO cdc_registry.table_state
         (pipeline, table_schema, table_name, folder, state, last_batch, last_end_lsn)
  SELECT c.pipeline, c.schema, c.name, coalesce(c.folder, t.folder),
         coalesce(c.state, t.state, 'streaming'), coalesce(c.batch, t.last_batch),
         coalesce(c.last, t.last_end_lsn)
    FROM changed c
    LEFT JOIN cdc_registry.table_state t
      ON t.pipeline = c.pipeline AND t.table_schema = c.schema AND t.table_name = c.name
  ON CONFLICT (pipeline, table_schema, table_name) DO UPDATE
     SET folder = EXCLUDED.folder, state = EXCLUDED.state, last_batch = EXCLUDED.last_batch,
         last_end_lsn = EXCLUDED.last_end_lsn, updated_at = EXCLUDED.updated_at
), noted AS (
  INSERT INTO cdc_registry.audit (pipeline, what, details)
  SELECT pipeline, 'state of a table', format('%I.%I: %s', schema, name, state)
    FROM changed WHERE state IS NOT NULL
), ddl AS (
  INSERT INTO cdc_registry.ddl_history
         (pipeline, seal, happened_at, commit_lsn, object_type, object_schema, object_name,
          command, statement)
  SELECT o.name, o.seal, timestamptz 'epoch' + f.at * interval '1 microsecond', f.lsn, f.type,
         f.schema, f.name, f.command, f.statement
    FROM ours o,
         unnest($39::bigint[], $40::pg_lsn[], $41::text[], $42::text[], $43::text[], $44::text[],
                $45::text[])
           WITH ORDINALITY AS f(at, lsn, type, schema, name, command, statement, place)
   ORDER BY f.place
), reloads AS (
  SELECT o.name AS pipeline, f.is_new, f.schema, f.name, f.by, f.state,
         timestamptz 'epoch' + f.requested * interval '1 microsecond' AS requested_at,
         timestamptz 'epoch' + f.started * interval '1 microsecond' AS started_at,
         timestamptz 'epoch' + f.finished * interval '1 microsecond' AS finished_at,
         f.first, f.last, f.row_count, f.problem, f.place
    FROM ours o,
         unnest($46::boolean[], $47::text[], $48::text[], $49::text[], $50::text[], $51::bigint[],
                $52::bigint[], $53::bigint[], $54::pg_lsn[], $55::pg_lsn[], $56::bigint[],
                $57::text[])
           WITH ORDINALITY AS f(is_new, schema, name, by, state, requested, started, finished,
                                first, last, row_count, problem, place)
), ordered AS (
  INSERT INTO cdc_registry.reload_operation
         (pipeline, table_schema, table_name, state, requested_by, requested_at, started_at,
          finished_at, start_lsn, end_lsn, row_count, problem)
  SELECT pipeline, schema, name, state, by, requested_at, started_at, finished_at, first, last,
         row_count, problem
    FROM reloads WHERE is_new ORDER BY place
), reloaded AS (
  UPDATE cdc_registry.reload_operation r
     SET state = f.state, started_at = coalesce(r.started_at, f.started_at),
         finished_at = f.finished_at, end_lsn = f.last, row_count = f.row_count,
         problem = f.problem
    FROM reloads f
   WHERE NOT f.is_new AND r.pipeline = f.pipeline AND r.table_schema = f.schema
     AND r.table_name = f.name AND r.requested_by = f.by AND r.state IN ('requested', 'running'))
SELECT seal, {} FROM ours)sql";

using Parameter = std::optional<std::string>;

std::string bytea_text(std::string_view bytes) {
    std::string text = "\\x";
    for (const char c : bytes) {
        fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(c));
    }
    return text;
}

std::optional<std::string> read_bytea(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 2; i < text.size(); i += 2) {
        unsigned char byte = 0;
        const auto [end, error] = std::from_chars(&text[i], &text[i] + 2, byte, 16);
        if (error != std::errc{} || end != &text[i] + 2) return std::nullopt;
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

// One column of rows that are to be.
template <typename Rows, typename Value>
Parameter column(const Rows& rows, Value value) {
    ArrayText array;
    for (const auto& row : rows) array.add(value(row));
    return std::move(array).take();
}

std::string flag(bool on) {
    return on ? "t" : "f";
}

void add_complete(std::vector<Parameter>& to, const std::vector<CompleteFile>& files) {
    using File = CompleteFile;
    to.push_back(column(files, [](const File& f) { return f.table.schema; }));
    to.push_back(column(files, [](const File& f) { return f.table.name; }));
    to.push_back(column(files, [](const File& f) { return kFileKinds.word(f.kind); }));
    to.push_back(column(files, [](const File& f) { return f.batch; }));
    to.push_back(column(files, [](const File& f) { return f.path; }));
    to.push_back(column(files, [](const File& f) { return to_string(f.begin_lsn); }));
    to.push_back(column(files, [](const File& f) { return to_string(f.end_lsn); }));
    to.push_back(column(files, [](const File& f) { return f.rows; }));
    to.push_back(column(files, [](const File& f) { return f.bytes; }));
    to.push_back(column(files, [](const File& f) { return checksum_text(f.crc32c); }));
    to.push_back(column(files, [](const File& f) { return flag(f.has_ddl); }));
    to.push_back(column(files, [](const File& f) { return flag(f.cut); }));
    to.push_back(column(files, [](const File& f) { return f.closed_at.unix_us; }));
}

void add_open(std::vector<Parameter>& to, const std::vector<OpenFile>& files) {
    using File = OpenFile;
    to.push_back(column(files, [](const File& f) { return f.id; }));
    to.push_back(column(files, [](const File& f) { return f.table.schema; }));
    to.push_back(column(files, [](const File& f) { return f.table.name; }));
    to.push_back(column(files, [](const File& f) { return kFileKinds.word(f.kind); }));
    to.push_back(column(files, [](const File& f) { return f.bytes; }));
    to.push_back(column(files, [](const File& f) { return f.rows; }));
    to.push_back(column(files, [](const File& f) { return checksum_text(f.crc32c); }));
    to.push_back(column(files, [](const File& f) { return to_string(f.first_lsn); }));
    to.push_back(column(files, [](const File& f) { return to_string(f.last_lsn); }));
    to.push_back(column(files, [](const File& f) { return f.opened_at.unix_us; }));
    to.push_back(column(files, [](const File& f) { return f.details; }));
}

// What a seal says of a table, from all its parts.
struct TableChange {
    std::optional<std::string> folder;
    std::optional<TableMode> mode;
    std::string batch;
    Lsn last;
};

std::map<TableId, TableChange> table_changes(const RegistrySeal& seal) {
    std::map<TableId, TableChange> changes;
    for (const auto& [table, folder] : seal.folders) changes[table].folder = folder;
    for (const auto& [table, mode] : seal.modes) changes[table].mode = mode;
    for (const CompleteFile& file : seal.complete) {
        TableChange& change = changes[file.table];
        change.batch = std::max(change.batch, file.batch);
        change.last = std::max(change.last, file.end_lsn);
    }
    return changes;
}

void add_tables(std::vector<Parameter>& to, const RegistrySeal& seal) {
    ArrayText schemas, names, folders, modes, batches, ends;
    for (const auto& [table, change] : table_changes(seal)) {
        schemas.add(table.schema);
        names.add(table.name);
        change.folder ? folders.add(*change.folder) : folders.add_null();
        change.mode ? modes.add(kTableModes.word(*change.mode)) : modes.add_null();
        change.batch.empty() ? batches.add_null() : batches.add(change.batch);
        change.last ? ends.add(to_string(change.last)) : ends.add_null();
    }
    for (ArrayText* array : {&schemas, &names, &folders, &modes, &batches, &ends}) {
        to.push_back(std::move(*array).take());
    }
}

void add_ddl(std::vector<Parameter>& to, const std::vector<DdlEvent>& events) {
    using Event = DdlEvent;
    to.push_back(column(events, [](const Event& e) { return e.happened_at.unix_us; }));
    to.push_back(column(events, [](const Event& e) { return to_string(e.commit_lsn); }));
    to.push_back(column(events, [](const Event& e) { return e.object_type; }));
    to.push_back(column(events, [](const Event& e) { return e.object.schema; }));
    to.push_back(column(events, [](const Event& e) { return e.object.name; }));
    to.push_back(column(events, [](const Event& e) { return e.command; }));
    ArrayText statements;
    for (const Event& event : events) {
        event.statement ? statements.add(*event.statement) : statements.add_null();
    }
    to.push_back(std::move(statements).take());
}

std::uint64_t largest_id(const RegistrySeal& seal) {
    std::uint64_t id = 0;
    for (const OpenFile& file : seal.open) id = std::max(id, file.id);
    for (const std::uint64_t closed : seal.closed) id = std::max(id, closed);
    return id;
}

// Null: nothing. False if it is not a bytea's text.
bool read_position_bytes(Answer& row, std::optional<std::string>& position) {
    if (row.is_null("position")) return true;
    position = read_bytea(row.text("position"));
    return position.has_value();
}

}  // namespace

Query look_query(const std::string& pipeline) {
    return {.text = std::string{kLook}, .parameters = {pipeline}};
}

Result<RegistryLook> read_look(const Rows& rows) {
    Answer row{rows};
    RegistryLook look;
    look.schema_version = static_cast<int>(row.number("version"));
    if (!row.is_null("generation")) {
        look.version = {row.count("generation"), row.count("seal")};
    }
    const bool read = read_position_bytes(row, look.position);
    if (!row.sound() || !read) return std::unexpected(strange_answer("the registry"));
    return look;
}

Query save_query(const StoredPosition& position, const std::optional<RegistryVersion>& seen) {
    const RegistryVersion version = seen.value_or(RegistryVersion{});
    return {.text = fmt::format(kSave, kDurably),
            .parameters = {position.pipeline, bytea_text(write_position(position)),
                           to_string(position.resume_at), std::to_string(version.generation),
                           std::to_string(version.seal)},
            .may_repeat = false};
}

Result<RegistryVersion> read_version(const Rows& rows) {
    Answer row{rows};
    const RegistryVersion version{row.count("generation"), row.count("seal")};
    if (!row.sound()) return std::unexpected(strange_answer("the registry"));
    return version;
}

Query forget_query(const std::string& pipeline) {
    return {.text = fmt::format(kForget, kDurably), .parameters = {pipeline}};
}

Query take_over_query(const std::string& pipeline) {
    return {.text = fmt::format(kTakeOver, kDurably), .parameters = {pipeline}};
}

Result<RegistryTakeOver> read_take_over(const Rows& rows) {
    Answer row{rows};
    RegistryTakeOver taken{.version = {row.count("generation"), row.count("seal")},
                           .position = {},
                           .last_batch = row.text("last_batch"),
                           .last_id = row.count("last_id")};
    if (!row.sound() || !read_position_bytes(row, taken.position)) {
        return std::unexpected(strange_answer("the registry"));
    }
    return taken;
}

Query content_query(const std::string& pipeline) {
    return {.text = std::string{kContent}, .parameters = {pipeline}};
}

Result<OpenFile> read_open_file(Answer& row) {
    const auto kind = kFileKinds.find(row.text("type"));
    const auto crc32c = read_checksum(row.text("checksum"));
    OpenFile file{.id = row.count("id"),
                  .table = {row.text("schema"), row.text("name")},
                  .kind = kind.value_or(FileKind::streaming),
                  .bytes = row.count("bytes"),
                  .rows = row.count("row_count"),
                  .crc32c = crc32c.value_or(0),
                  .first_lsn = row.lsn("first_lsn"),
                  .last_lsn = row.lsn("last_lsn"),
                  .opened_at = {row.number("opened_us")},
                  .details = row.text("details")};
    if (!row.sound() || !kind || !crc32c) return std::unexpected(strange_answer("open files"));
    return file;
}

Result<std::uint64_t> read_content(const Rows& rows, RegistryContent& content) {
    std::uint64_t generation = 0;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        const std::string what = row.text("what");
        if (what == "pipeline") {
            generation = row.count("id");
        } else if (what == "open") {
            auto file = read_open_file(row);
            if (!file) return std::unexpected(std::move(file.error()));
            content.open.push_back(std::move(*file));
        } else if (what == "reload") {
            auto reload = read_open_reload(row);
            if (!reload) return std::unexpected(std::move(reload.error()));
            content.reloads.push_back(std::move(*reload));
        } else {
            TableId table{row.text("schema"), row.text("name")};
            const auto mode = kTableModes.find(row.text("type"));
            if (!row.sound() || !mode) return std::unexpected(strange_answer("tables"));
            if (*mode != TableMode::streaming) content.modes.emplace_back(table, *mode);
            if (row.is_null("details")) continue;
            content.folders.emplace_back(std::move(table), row.text("details"));
        }
    }
    // As bytes: the database has an order of its own.
    std::ranges::sort(content.folders);
    std::ranges::sort(content.modes);
    sort_reloads(content.reloads);
    return generation;
}

Query commit_query(const RegistrySeal& seal, const std::string& pipeline, RegistryVersion last) {
    Query query{.text = fmt::format(kCommit, kDurably),
                .parameters = {pipeline, std::to_string(last.generation), std::to_string(last.seal),
                               bytea_text(write_position(seal.position)),
                               to_string(seal.position.resume_at), seal.last_batch,
                               std::to_string(largest_id(seal))},
                .may_repeat = false,
                .answer_max = std::chrono::seconds{60}};
    add_complete(query.parameters, seal.complete);
    query.parameters.push_back(column(seal.closed, [](std::uint64_t id) { return id; }));
    add_open(query.parameters, seal.open);
    add_tables(query.parameters, seal);
    add_ddl(query.parameters, seal.ddl);
    add_reloads(query.parameters, seal.reloads);
    return query;
}

}  // namespace pgc
