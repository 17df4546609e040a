#include "sink/file/contents.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "observe/json_reader.h"
#include "observe/json_text.h"
#include "observe/wall_text.h"
#include "sink/file_registry/checksum.h"

namespace pgc {
namespace {

constexpr std::int32_t kModifierHeader = 4;

std::string_view bare_name(std::string_view name) {
    constexpr std::string_view catalog = "pg_catalog.";
    return name.starts_with(catalog) ? name.substr(catalog.size()) : name;
}

// With what the column's modifier says: its length or precision.
std::string type_text(const Column& column) {
    const std::string name{bare_name(column.type->name)};
    const std::int32_t modifier = column.modifier;
    if (modifier < 0) return name;
    if (name == "numeric") {
        const std::int32_t packed = modifier - kModifierHeader;
        return fmt::format("numeric({},{})", (packed >> 16) & 0xFFFF, packed & 0x7FF);
    }
    if (name == "varchar" || name == "bpchar" || name == "character varying" ||
        name == "character") {
        return fmt::format("{}({})", name, modifier - kModifierHeader);
    }
    return name;
}

void append_time(std::string& out, std::string_view name, WallTime at) {
    std::string text;
    append_wall_time(text, at);
    append_json_field(out, name, text);
}

std::string_view name_in_folder(const CompleteFile& file) {
    return std::string_view{file.path}.substr(file.path.rfind('/') + 1);
}

// As Redshift's COPY reads it.
void append_entry(std::string& out, const CompleteFile& file, std::string_view root_url) {
    out += '{';
    append_json_field(out, "url", std::string{root_url} + file.path);
    out += fmt::format(",\"mandatory\":true,\"meta\":{{\"content_length\":{},\"record_count\":{},",
                       file.bytes, file.rows);
    append_json_field(out, "checksum", checksum_text(file.crc32c));
    out += "}}";
}

// A scalar of YAML: a JSON string is one.
std::string yaml_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

}  // namespace

SchemaVersion schema_version(const Relation& relation, Lsn from) {
    SchemaVersion version{.from = from, .columns = {}};
    for (std::uint32_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.captured) continue;
        version.columns.push_back({.name = column.name,
                                   .type = type_text(column),
                                   .nullable = column.nullable,
                                   .key = std::ranges::count(relation.key, i) > 0});
    }
    return version;
}

std::string write_details(const FileDetails& details) {
    std::string out = "{";
    append_json_field(out, "name", details.name);
    out += ',';
    append_json_field(out, "heading", details.heading);
    out += ',';
    append_json_field(out, "form", details.form);
    out += ",\"schemas\":[";
    for (const SchemaVersion& version : details.schemas) {
        if (out.back() == '}') out += ',';
        out += '{';
        append_json_field(out, "from", to_string(version.from));
        out += ",\"columns\":[";
        for (const SchemaVersion::Column& column : version.columns) {
            if (out.back() == '}') out += ',';
            out += '{';
            append_json_field(out, "name", column.name);
            out += ',';
            append_json_field(out, "type", column.type);
            out += fmt::format(",\"nullable\":{},\"key\":{}}}", column.nullable, column.key);
        }
        out += "]}";
    }
    out += ']';
    if (!details.ddl.empty()) {
        out += ",\"ddl\":[";
        for (const DdlStatement& statement : details.ddl) {
            if (out.back() == '}') out += ',';
            append_ddl(out, statement);
        }
        out += ']';
    }
    return out + '}';
}

std::optional<FileDetails> read_details(std::string_view text) {
    constexpr JsonLimits limits{
        .bytes = std::size_t{256} << 20, .values = std::size_t{1} << 22, .depth = 8};
    const auto document = read_json(text, limits);
    if (!document) return std::nullopt;
    FileDetails details;
    auto name = document->member("name").text();
    auto heading = document->member("heading").text();
    if (!name || !heading || !document->member("schemas").is_list()) return std::nullopt;
    details.name = std::move(*name);
    details.heading = std::move(*heading);
    details.form = document->member("form").text().value_or("");
    for (const Json& item : document->member("schemas").elements()) {
        const auto from = parse_lsn(item.member("from").text().value_or(""));
        if (!from) return std::nullopt;
        SchemaVersion version{.from = *from, .columns = {}};
        for (const Json& column : item.member("columns").elements()) {
            version.columns.push_back({.name = column.member("name").text().value_or(""),
                                       .type = column.member("type").text().value_or(""),
                                       .nullable = column.member("nullable").boolean() != false,
                                       .key = column.member("key").boolean() == true});
        }
        details.schemas.push_back(std::move(version));
    }
    for (const Json& item : document->member("ddl").elements()) {
        auto statement = read_ddl(item);
        if (!statement) return std::nullopt;
        details.ddl.push_back(std::move(*statement));
    }
    return details;
}

std::string schema_text(const CompleteFile& file, const FileDetails& details) {
    std::string out = fmt::format(
        "schema: {}\ntable: {}\nfile: {}\nbegin_lsn: \"{}\"\nend_lsn: \"{}\"\n",
        yaml_string(file.table.schema), yaml_string(file.table.name),
        yaml_string(name_in_folder(file)), to_string(file.begin_lsn), to_string(file.end_lsn));
    out += "versions:\n";
    for (const SchemaVersion& version : details.schemas) {
        out += fmt::format("  - from_lsn: \"{}\"\n    columns:{}\n", to_string(version.from),
                           version.columns.empty() ? " []" : "");
        for (const SchemaVersion::Column& column : version.columns) {
            out += fmt::format("      - {{name: {}, type: {}, nullable: {}, key: {}}}\n",
                               yaml_string(column.name), yaml_string(column.type), column.nullable,
                               column.key);
        }
    }
    return out;
}

std::string manifest_text(const CompleteFile* rows, const CompleteFile* ddl,
                          const ManifestContext& context) {
    const CompleteFile& file = rows != nullptr ? *rows : *ddl;
    std::string out = "{";
    append_json_field(out, "pipeline", context.pipeline);
    out += fmt::format(",\"seal\":{},", context.seal);
    append_json_field(out, "schema", file.table.schema);
    out += ',';
    append_json_field(out, "table", file.table.name);
    out += ',';
    append_json_field(out, "batch", file.batch);
    out += ',';
    append_json_field(out, "type", kFileKinds.word(file.kind));
    out += ',';
    append_json_field(out, "begin_lsn", to_string(file.begin_lsn));
    out += ',';
    append_json_field(out, "end_lsn", to_string(file.end_lsn));
    out += ',';
    append_time(out, "closed_at", file.closed_at);
    out += fmt::format(",\"cut\":{},\"has_ddl\":{},\"entries\":[", file.cut, ddl != nullptr);
    if (rows != nullptr) append_entry(out, *rows, context.url);
    out += ']';
    if (ddl != nullptr) {
        out += ",\"ddl\":";
        append_entry(out, *ddl, context.url);
    }
    return out + "}\n";
}

std::string checkpoint_text(const FilesCheckpoint& checkpoint) {
    std::string out = "{";
    append_json_field(out, "pipeline", checkpoint.pipeline);
    out += fmt::format(",\"seal\":{},", checkpoint.seal);
    append_json_field(out, "complete_before_lsn", to_string(checkpoint.complete));
    out += ',';
    append_time(out, "written_at", checkpoint.written_at);
    return out + "}\n";
}

}  // namespace pgc
