#include "sink/file_registry/index_statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "observe/json_reader.h"
#include "pgclient/answer.h"
#include "sink/file_registry/array_text.h"
#include "sink/file_registry/checksum.h"
#include "sink/file_registry/statements.h"

namespace pgc {
namespace {

using Parameter = std::optional<std::string>;

constexpr std::string_view kState = R"sql(/* pg-capture: state of the registry */
SELECT 'pipeline' AS what, (SELECT max(version) FROM cdc_registry.schema_version) AS id,
       coalesce(p.seal, 0) AS seal, p.resume_at, '' AS schema, '' AS name, '' AS type, 0 AS bytes,
       0 AS row_count, '' AS checksum, NULL::pg_lsn AS first_lsn, NULL::pg_lsn AS last_lsn,
       0 AS opened_us, '' AS details
  FROM (SELECT 1) AS one(n) LEFT JOIN cdc_registry.pipeline p ON p.name = $1
UNION ALL
SELECT 'open', id, 0, NULL, table_schema, table_name, type, bytes, row_count, checksum, first_lsn,
       last_lsn, (extract(epoch FROM opened_at) * 1000000)::bigint, details
  FROM cdc_registry.batch_progress WHERE pipeline = $1
 ORDER BY what DESC, id)sql";

constexpr std::string_view kFiles = R"sql(/* pg-capture: registered files */
SELECT id, table_schema, table_name, type, batch, path, begin_lsn, end_lsn, row_count, bytes,
       checksum, has_ddl, cut, (extract(epoch FROM closed_at) * 1000000)::bigint AS closed_us,
       (extract(epoch FROM registered_at) * 1000000)::bigint AS registered_us, loaded,
       (extract(epoch FROM loaded_at) * 1000000)::bigint AS loaded_us
  FROM cdc_registry.file_log
 WHERE pipeline = $1 AND id > $2::bigint
 ORDER BY id LIMIT $3::bigint)sql";

// Whoever removes holds this lock until it is committed. $1: the name of the pipeline.
constexpr std::string_view kLock = "pg_advisory_xact_lock(1885824868, hashtext($1))";

constexpr std::string_view kSettled = "/* pg-capture: no removal is under way */ SELECT {}";

constexpr std::string_view kRegistered = R"sql(/* pg-capture: which files are registered */
SELECT path FROM cdc_registry.file_log WHERE pipeline = $1 AND path = ANY ($2::text[]))sql";

// The files of a folder go together. Names of batches rise with their commits. Statements need no
// mark of a loader: ddl_history has them.
constexpr std::string_view kRemovable = R"sql(/* pg-capture: batches that may be removed */
SELECT table_schema, table_name, batch, folder, paths, row_count, bytes, closed_us, loaded
  FROM (SELECT table_schema, table_name, max(batch) AS batch, folder,
               json_agg(path ORDER BY path)::text AS paths, sum(row_count)::bigint AS row_count,
               sum(bytes)::bigint AS bytes, max(closed_at) AS closed_at,
               (extract(epoch FROM max(closed_at)) * 1000000)::bigint AS closed_us,
               bool_and(loaded OR type = 'ddl') AS loaded,
               row_number() OVER (PARTITION BY table_schema, table_name
                                  ORDER BY max(batch) DESC, folder DESC) AS place
          FROM (SELECT *, left(path, length(path) - strpos(reverse(path), '/')) AS folder
                  FROM cdc_registry.file_log WHERE pipeline = $1) AS files
         GROUP BY table_schema, table_name, folder) AS batches
 WHERE (coalesce(closed_at < timestamptz 'epoch' + $2::bigint * interval '1 microsecond', false)
        OR coalesce(place > $3::bigint, false)
        OR $2::bigint IS NULL AND $3::bigint IS NULL)
   AND (loaded OR NOT $4::boolean)
   AND ($5::text[] = '{}' OR EXISTS (
         SELECT FROM unnest($5::text[], $6::text[]) AS p(schema_like, name_like)
          WHERE table_schema LIKE schema_like AND table_name LIKE name_like))
 ORDER BY batch, table_schema, table_name LIMIT $7::bigint)sql";

constexpr std::string_view kRemove = R"sql(/* pg-capture: remove files from the registry */
WITH gone AS (
  DELETE FROM cdc_registry.file_log f
   USING (SELECT {} IS NOT NULL AS held) AS alone
   WHERE alone.held AND f.pipeline = $1 AND f.path = ANY ($2::text[])
     AND (f.loaded OR f.type = 'ddl' OR NOT $3::boolean)
  RETURNING f.bytes
), noted AS (
  INSERT INTO cdc_registry.audit (pipeline, what, details)
  SELECT $1, 'files removed', count(*) || ' files, ' || sum(bytes) || ' bytes: ' || $4::text
    FROM gone HAVING count(*) > 0)
SELECT count(*) AS files FROM gone)sql";

constexpr Duration kAnswer_max = std::chrono::seconds{60};

Parameter texts(const std::vector<std::string>& list) {
    ArrayText array;
    for (const std::string& text : list) array.add(text);
    return std::move(array).take();
}

Result<IndexedFile> read_file(Answer& row) {
    const auto kind = kFileKinds.find(row.text("type"));
    const auto crc32c = read_checksum(row.text("checksum"));
    IndexedFile one{.id = row.count("id"),
                    .file = {.table = {row.text("table_schema"), row.text("table_name")},
                             .kind = kind.value_or(FileKind::streaming),
                             .batch = row.text("batch"),
                             .path = row.text("path"),
                             .begin_lsn = row.lsn("begin_lsn"),
                             .end_lsn = row.lsn("end_lsn"),
                             .rows = row.count("row_count"),
                             .bytes = row.count("bytes"),
                             .crc32c = crc32c.value_or(0),
                             .has_ddl = row.flag("has_ddl"),
                             .cut = row.flag("cut"),
                             .closed_at = {row.number("closed_us")}},
                    .registered_at = {row.number("registered_us")},
                    .loaded = row.flag("loaded"),
                    .loaded_at = {}};
    if (!row.is_null("loaded_us")) one.loaded_at = WallTime{row.number("loaded_us")};
    if (!row.sound() || !kind || !crc32c) return std::unexpected(strange_answer("files"));
    return one;
}

// Nothing if it is not a list of texts.
std::optional<std::vector<std::string>> read_paths(std::string_view json) {
    constexpr JsonLimits limits{
        .bytes = std::size_t{16} << 20, .values = std::size_t{1} << 20, .depth = 2};
    const auto document = read_json(json, limits);
    if (!document || !document->is_list()) return std::nullopt;
    std::vector<std::string> paths;
    for (const Json& item : document->elements()) {
        auto path = item.text();
        if (!path) return std::nullopt;
        paths.push_back(std::move(*path));
    }
    return paths;
}

}  // namespace

Query index_state_query(const std::string& pipeline) {
    return {.text = std::string{kState}, .parameters = {pipeline}};
}

Result<IndexStateAnswer> read_index_state(const Rows& rows) {
    IndexStateAnswer answer;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        if (row.text("what") == "open") {
            auto file = read_open_file(row);
            if (!file) return std::unexpected(std::move(file.error()));
            answer.state.open.push_back(std::move(*file));
            continue;
        }
        answer.schema_version = static_cast<int>(row.number("id"));
        answer.state.seal = row.count("seal");
        answer.state.resume_at = row.lsn("resume_at");
        if (!row.sound()) return std::unexpected(strange_answer("the registry"));
    }
    return answer;
}

Query index_files_query(const std::string& pipeline, std::uint64_t after, std::size_t most) {
    return {.text = std::string{kFiles},
            .parameters = {pipeline, std::to_string(after), std::to_string(most)},
            .answer_max = kAnswer_max};
}

Result<std::vector<IndexedFile>> read_index_files(const Rows& rows) {
    std::vector<IndexedFile> files;
    files.reserve(rows.rows.size());
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        auto file = read_file(row);
        if (!file) return std::unexpected(std::move(file.error()));
        files.push_back(std::move(*file));
    }
    return files;
}

Query removals_settled_query(const std::string& pipeline) {
    return {
        .text = fmt::format(kSettled, kLock), .parameters = {pipeline}, .answer_max = kAnswer_max};
}

Query registered_query(const std::string& pipeline, const std::vector<std::string>& paths) {
    return {.text = std::string{kRegistered},
            .parameters = {pipeline, texts(paths)},
            .answer_max = kAnswer_max};
}

Result<std::vector<std::string>> read_registered(const Rows& rows) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        paths.push_back(row.text("path"));
        if (!row.sound()) return std::unexpected(strange_answer("files"));
    }
    std::ranges::sort(paths);
    return paths;
}

Query removable_query(const std::string& pipeline, const RetentionRule& rule, std::size_t most) {
    std::vector<std::string> schemas, names;
    for (const NamePattern& pattern : rule.tables) {
        schemas.push_back(pattern.like(0));
        names.push_back(pattern.like(1));
    }
    const auto number = [](const auto& value) -> Parameter {
        return value ? Parameter{std::to_string(*value)} : std::nullopt;
    };
    std::optional<std::int64_t> before;
    if (rule.closed_before) before = rule.closed_before->unix_us;
    return {.text = std::string{kRemovable},
            .parameters = {pipeline, number(before), number(rule.keep),
                           std::string{rule.only_loaded ? "t" : "f"}, texts(schemas), texts(names),
                           std::to_string(most)},
            .answer_max = kAnswer_max};
}

Result<std::vector<OldBatch>> read_removable(const Rows& rows) {
    std::vector<OldBatch> batches;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        auto paths = read_paths(row.text("paths"));
        OldBatch batch{.table = {row.text("table_schema"), row.text("table_name")},
                       .batch = row.text("batch"),
                       .folder = row.text("folder"),
                       .paths = paths.value_or(std::vector<std::string>{}),
                       .rows = row.count("row_count"),
                       .bytes = row.count("bytes"),
                       .closed_at = {row.number("closed_us")},
                       .loaded = row.flag("loaded")};
        if (!row.sound() || !paths) return std::unexpected(strange_answer("old batches"));
        batches.push_back(std::move(batch));
    }
    return batches;
}

Query remove_query(const std::string& pipeline, const std::vector<std::string>& paths,
                   bool only_loaded, const std::string& why) {
    return {.text = fmt::format(kRemove, kLock),
            .parameters = {pipeline, texts(paths), std::string{only_loaded ? "t" : "f"}, why},
            .answer_max = kAnswer_max};
}

}  // namespace pgc
