#include "sink/file/ddl.h"

#include <fmt/core.h>

#include <utility>

#include "base/crc32c.h"
#include "core/own_messages.h"
#include "observe/json_text.h"
#include "observe/wall_text.h"
#include "sink/file/disk_error.h"

namespace pgc {
namespace {

constexpr std::size_t kWord_bytes_max = 64;   // of a command, of a type of objects
constexpr std::size_t kName_bytes_max = 512;  // PostgreSQL's have 63 bytes, or as it was built
constexpr std::size_t kStatement_bytes_max = std::size_t{64} << 10;

std::optional<std::string> bounded(const Json& value, std::size_t bytes_max) {
    auto text = value.text();
    if (!text || text->size() > bytes_max || text->contains('\0')) return std::nullopt;
    return text;
}

// In JSON, at most: a control character is \u0001 there.
std::size_t escaped_bytes(std::string_view text) noexcept {
    std::size_t bytes = 0;
    for (const char c : text) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
        bytes += control ? 6 : (c == '"' || c == '\\') ? 2 : 1;
    }
    return bytes;
}

// False: it is no statement that we know.
bool read_names(const Json& from, DdlStatement& to) {
    auto command = bounded(from.member("command"), kWord_bytes_max);
    auto type = bounded(from.member("object_type"), kWord_bytes_max);
    auto schema = bounded(from.member("schema"), kName_bytes_max);
    auto name = bounded(from.member("name"), kName_bytes_max);
    if (!command || !type || !schema || !name) return false;
    if (command->empty() || type->empty() || schema->empty() || name->empty()) return false;
    to.command = std::move(*command);
    to.object_type = std::move(*type);
    to.object = {std::move(*schema), std::move(*name)};
    return true;
}

// As read_names() reads them.
void append_names(std::string& out, const DdlStatement& statement) {
    append_json_field(out, "command", statement.command);
    out += ',';
    append_json_field(out, "object_type", statement.object_type);
    out += ',';
    append_json_field(out, "schema", statement.object.schema);
    out += ',';
    append_json_field(out, "name", statement.object.name);
}

// False: it is there and is none.
bool read_statement(const Json& from, DdlStatement& to) {
    to.cut = from.member("cut").boolean() == true;
    const Json statement = from.member("statement");
    if (!statement.text()) return true;
    to.statement = bounded(statement, kStatement_bytes_max);
    return to.statement.has_value();
}

std::string head_of(const DdlStatement& statement) {
    std::string out = "-- {";
    append_json_field(out, "commit_lsn", to_string(statement.commit_lsn));
    out += fmt::format(",\"seq\":{},", statement.ordinal);
    std::string time;
    append_wall_time(time, statement.committed_at);
    append_json_field(out, "committed_at", time);
    out += ',';
    append_names(out, statement);
    return out + "}\n";
}

// What can't be run as it stands is a comment.
std::string commented(std::string_view text) {
    std::string out = "-- ";
    for (const char c : text) {
        out += c == '\r' ? '\n' : c;
        if (out.back() == '\n') out += "-- ";
    }
    return out + '\n';
}

}  // namespace

std::size_t DdlStatement::bytes() const noexcept {
    return sizeof *this + command.size() + object_type.size() + object.schema.size() +
           object.name.size() + (statement ? escaped_bytes(*statement) : 0);
}

void DdlStatement::leave_out_text() {
    if (!statement) return;
    statement.reset();
    cut = true;
}

std::optional<DdlStatement> read_ddl_message(const OwnMessage& message) {
    // DDL is part of a transaction.
    if (message.prefix != kDdlMessages || !message.transactional) return std::nullopt;
    constexpr JsonLimits limits{.bytes = std::size_t{512} << 10, .values = 64, .depth = 4};
    const auto document = read_json(message.content, limits);
    if (!document) return std::nullopt;
    DdlStatement statement{.commit_lsn = message.commit_lsn,
                           .ordinal = message.ordinal,
                           .committed_at = message.committed_at,
                           .command = {},
                           .object_type = {},
                           .object = {}};
    if (!read_names(*document, statement)) return std::nullopt;
    if (!read_statement(*document, statement)) return std::nullopt;
    return statement;
}

void append_ddl(std::string& out, const DdlStatement& statement) {
    out += '{';
    append_json_field(out, "commit_lsn", to_string(statement.commit_lsn));
    out +=
        fmt::format(",\"seq\":{},\"at_us\":{},", statement.ordinal, statement.committed_at.unix_us);
    append_names(out, statement);
    if (statement.statement) {
        out += ',';
        append_json_field(out, "statement", *statement.statement);
    }
    out += fmt::format(",\"cut\":{}}}", statement.cut);
}

std::optional<DdlStatement> read_ddl(const Json& note) {
    const auto commit = parse_lsn(note.member("commit_lsn").text().value_or(""));
    const auto ordinal = note.member("seq").count();
    const auto at_us = note.member("at_us").count();
    if (!commit || !ordinal || !at_us) return std::nullopt;
    DdlStatement statement{.commit_lsn = *commit,
                           .ordinal = *ordinal,
                           .committed_at = {static_cast<std::int64_t>(*at_us)},
                           .command = {},
                           .object_type = {},
                           .object = {}};
    if (!read_names(note, statement) || !read_statement(note, statement)) return std::nullopt;
    return statement;
}

DdlEvent ddl_event(const DdlStatement& statement) {
    return {.happened_at = statement.committed_at,
            .commit_lsn = statement.commit_lsn,
            .object_type = statement.object_type,
            .object = statement.object,
            .command = statement.command,
            .statement = statement.statement};
}

std::string ddl_text(const std::vector<DdlStatement>& statements) {
    std::string out;
    const DdlStatement* last = nullptr;
    for (const DdlStatement& one : statements) {
        out += head_of(one);
        const bool again = last != nullptr && last->commit_lsn == one.commit_lsn &&
                           last->statement && last->statement == one.statement;
        last = &one;
        if (again) {
            out += "-- the statement above\n\n";
        } else if (!one.statement && one.cut) {
            out += "-- the statement is not recorded: there was too much of them\n\n";
        } else if (!one.statement) {
            out += "-- the statement is not recorded: it may hold a secret\n\n";
        } else if (one.cut) {
            out += "-- the statement is too long to be recorded; it begins with\n" +
                   commented(*one.statement) + '\n';
        } else {
            out += *one.statement + "\n;\n\n";
        }
    }
    return out;
}

CompleteFile ddl_file(CompleteFile beside, const std::vector<DdlStatement>& statements) {
    const std::string text = ddl_text(statements);
    beside.path = fmt::format("{}/{}", parent_folder(beside.path), kDdlName);
    beside.kind = FileKind::ddl;
    beside.begin_lsn = statements.front().commit_lsn;
    beside.end_lsn = statements.back().commit_lsn;
    beside.rows = statements.size();
    beside.bytes = text.size();
    beside.crc32c = crc32c(0, text);
    beside.has_ddl = true;
    beside.cut = false;
    return beside;
}

}  // namespace pgc
