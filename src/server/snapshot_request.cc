#include "server/snapshot_request.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "core/name_pattern.h"
#include "observe/json_reader.h"
#include "observe/json_text.h"

namespace pgc {
namespace {

constexpr std::string_view kShape =
    R"(write {"tables":["public.orders"]}, and "where", "reload" and "id" where they are needed)";
constexpr std::string_view kTableHint =
    "write SCHEMA.TABLE, as public.orders or shop.*, with double quotes around what is to be "
    "taken as it is";

Error wrong(std::string what, std::string_view hint) {
    return stop(Error::Category::configuration, std::move(what)).with_hint(std::string{hint});
}

std::optional<NamePattern> table_pattern(std::string_view text) {
    if (text.size() > kRequestPatternBytes_max || text.contains('\0')) return std::nullopt;
    return NamePattern::parse(text, 2);
}

bool names_one_table(std::string_view text) {
    const auto pattern = table_pattern(text);
    return pattern && pattern->literal(0) && pattern->literal(1);
}

Result<void> check_where(const SnapshotRequest& request) {
    if (request.where.empty()) return {};
    if (request.reload) {
        return std::unexpected(
            wrong("a reload is one of all rows", "leave the condition out; or request a snapshot"));
    }
    if (request.tables.size() != 1 || !names_one_table(request.tables.front())) {
        return std::unexpected(wrong("a condition is for one table, named without * and ?",
                                     "request one snapshot for each table that has a condition"));
    }
    if (request.where.size() > kRequestWhereBytes_max) {
        return std::unexpected(
            wrong("the condition is too long",
                  fmt::format("say it in {} bytes at most", kRequestWhereBytes_max)));
    }
    if (request.where.contains('\0') ||
        request.where.find_first_not_of(" \t\r\n") == std::string::npos) {
        return std::unexpected(
            wrong("the condition is not SQL", "write what would stand after WHERE"));
    }
    return {};
}

Result<std::string> read_text(const Json& value, std::string_view name) {
    if (!value.exists()) return std::string{};
    auto text = value.text();
    if (!text) return std::unexpected(wrong(fmt::format("\"{}\" is not a string", name), kShape));
    return std::move(*text);
}

Result<std::vector<std::string>> read_tables(const Json& list) {
    std::vector<std::string> tables;
    if (!list.exists()) return tables;
    if (!list.is_list()) return std::unexpected(wrong(R"("tables" is not a list)", kShape));
    for (const Json& element : list.elements()) {
        auto table = read_text(element, fmt::format("tables.{}", tables.size()));
        if (!table) return std::unexpected(std::move(table.error()));
        tables.push_back(std::move(*table));
    }
    return tables;
}

// It is an object, and every member is one that counts.
Result<void> check_members(const Json& body) {
    if (!body.is_object()) return std::unexpected(wrong("the body is not an object", kShape));
    for (const std::string& name : body.names()) {
        if (name != "tables" && name != "where" && name != "reload" && name != "id") {
            return std::unexpected(
                wrong(fmt::format("\"{}\" is not a known member", name), kShape));
        }
    }
    return {};
}

}  // namespace

Result<void> check_snapshot_request(const SnapshotRequest& request) {
    if (request.tables.empty()) {
        return std::unexpected(wrong("no table is named", kTableHint));
    }
    if (request.tables.size() > kRequestTables_max) {
        return std::unexpected(
            wrong("too many tables are named",
                  fmt::format("name {} at most; a pattern as shop.* stands for many",
                              kRequestTables_max)));
    }
    for (const std::string& table : request.tables) {
        if (!table_pattern(table)) {
            return std::unexpected(
                wrong(fmt::format("{} is not a table", table.substr(0, kRequestPatternBytes_max)),
                      kTableHint));
        }
    }
    if (!request.id.empty() && !is_snapshot_id(request.id)) {
        return std::unexpected(
            wrong("the id is not valid", "use 1 to 64 letters, digits, _, - and ."));
    }
    if (request.id == kWholeSnapshotId) {
        return std::unexpected(
            wrong(fmt::format("the id {} is that of the snapshot of everything", request.id),
                  "choose another one, or none"));
    }
    return check_where(request);
}

std::string snapshot_request_json(const SnapshotRequest& request) {
    std::string out = R"({"tables":[)";
    for (const std::string& table : request.tables) {
        if (out.back() != '[') out += ',';
        append_json_string(out, table);
    }
    out += ']';
    if (!request.where.empty()) {
        out += ',';
        append_json_field(out, "where", request.where);
    }
    if (request.reload) out += R"(,"reload":true)";
    if (!request.id.empty()) {
        out += ',';
        append_json_field(out, "id", request.id);
    }
    return out + "}\n";
}

Result<SnapshotRequest> read_snapshot_request(std::string_view json) {
    const auto body = read_json(json, {.bytes = 65'536, .values = 256, .depth = 4});
    if (!body) {
        return std::unexpected(wrong("the body can't be read as JSON: " + body.error(), kShape));
    }
    if (auto known = check_members(*body); !known) {
        return std::unexpected(std::move(known.error()));
    }
    auto tables = read_tables(body->member("tables"));
    if (!tables) return std::unexpected(std::move(tables.error()));
    auto where = read_text(body->member("where"), "where");
    if (!where) return std::unexpected(std::move(where.error()));
    auto id = read_text(body->member("id"), "id");
    if (!id) return std::unexpected(std::move(id.error()));
    SnapshotRequest request{
        .id = std::move(*id), .tables = std::move(*tables), .where = std::move(*where)};
    if (const Json reload = body->member("reload"); reload.exists()) {
        const auto wanted = reload.boolean();
        if (!wanted) return std::unexpected(wrong(R"("reload" is not true or false)", kShape));
        if (*wanted) request.reload = {.by = std::string{kOrderedByRequest}};
    }
    if (auto good = check_snapshot_request(request); !good)
        return std::unexpected(std::move(good.error()));
    return request;
}

}  // namespace pgc
