#include "server/snapshot_json.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "observe/json_reader.h"
#include "observe/json_text.h"
#include "observe/wall_text.h"

namespace pgc {
namespace {

// More snapshots and tables than a report has.
constexpr JsonLimits kReportLimits{.values = 65'536};

void append_time_or_null(std::string& out, std::string_view head, WallTime at) {
    std::string text;
    if (at != WallTime{}) append_wall_time(text, at);
    append_json_or_null(out, head, text);
}

void append_tables(std::string& out, const std::vector<SnapshotReport::Table>& tables) {
    out += R"(,"open":[)";
    for (const SnapshotReport::Table& table : tables) {
        if (out.back() != '[') out += ',';
        out += R"({"table":)";
        append_json_string(out, table.name);
        fmt::format_to(std::back_inserter(out), R"(,"rows":{},"rows_expected":{}}})", table.rows,
                       table.rows_expected);
    }
    out += ']';
}

void append_snapshot(std::string& out, const SnapshotReport::Request& snapshot) {
    out += R"({"id":)";
    append_json_string(out, snapshot.id);
    fmt::format_to(std::back_inserter(out), R"(,"state":"{}")", name(snapshot.state));
    append_json_or_null(out, R"(,"reason":)", snapshot.reason);
    fmt::format_to(std::back_inserter(out),
                   R"(,"tables":{},"tables_done":{},"rows":{},"rows_expected":{},)"
                   R"("rows_per_second":{})",
                   snapshot.tables, snapshot.tables_done, snapshot.rows, snapshot.rows_expected,
                   snapshot.rows_per_second);
    append_time_or_null(out, R"(,"began":)", snapshot.began);
    append_time_or_null(out, R"(,"ended":)", snapshot.ended);
    append_tables(out, snapshot.open);
    out += '}';
}

// -- reading ---------------------------------------------------------------------------------

Error foreign(std::string_view why) {
    return stop(Error::Category::protocol,
                fmt::format("this is not an answer about snapshots: {}", why));
}

std::optional<SnapshotReport::State> snapshot_state_of(std::string_view word) {
    using enum SnapshotReport::State;
    for (const auto state : std::array{waiting, reading, paused, done, cancelled, failed}) {
        if (name(state) == word) return state;
    }
    return std::nullopt;
}

Result<SnapshotReport::Request> read_one(const Json& json) {
    const auto text = [&](std::string_view name) { return json.member(name).text().value_or(""); };
    const auto count = [&](std::string_view name) { return json.member(name).count().value_or(0); };
    const auto time = [&](std::string_view name) {
        return parse_wall_time(text(name)).value_or(WallTime{});
    };
    const auto state = snapshot_state_of(text("state"));
    if (!state || text("id").empty()) {
        return std::unexpected(foreign("it has neither an id nor a state"));
    }
    SnapshotReport::Request snapshot{.id = text("id"),
                                     .state = *state,
                                     .reason = text("reason"),
                                     .tables = count("tables"),
                                     .tables_done = count("tables_done"),
                                     .rows = count("rows"),
                                     .rows_expected = count("rows_expected"),
                                     .rows_per_second = count("rows_per_second"),
                                     .began = time("began"),
                                     .ended = time("ended")};
    for (const Json& table : json.member("open").elements()) {
        snapshot.open.push_back(
            {.name = table.member("table").text().value_or(""),
             .rows = table.member("rows").count().value_or(0),
             .rows_expected = table.member("rows_expected").count().value_or(0)});
    }
    return snapshot;
}

}  // namespace

std::string snapshots_json(const SnapshotReport& report) {
    std::string out = R"({"snapshots":[)";
    for (const SnapshotReport::Request& snapshot : report.requests) {
        if (out.back() != '[') out += ',';
        append_snapshot(out, snapshot);
    }
    return out + "]}\n";
}

std::string snapshot_json(const SnapshotReport::Request& snapshot) {
    std::string out;
    append_snapshot(out, snapshot);
    return out + '\n';
}

Result<SnapshotReport> read_snapshots(std::string_view json) {
    const auto read = read_json(json, kReportLimits);
    if (!read) return std::unexpected(foreign(read.error()));
    const Json snapshots = read->member("snapshots");
    if (!snapshots.is_list()) return std::unexpected(foreign("it lists no snapshots"));
    SnapshotReport report;
    for (const Json& one : snapshots.elements()) {
        auto snapshot = read_one(one);
        if (!snapshot) return std::unexpected(std::move(snapshot.error()));
        report.requests.push_back(std::move(*snapshot));
    }
    return report;
}

Result<SnapshotReport::Request> read_snapshot(std::string_view json) {
    const auto read = read_json(json, kReportLimits);
    if (!read) return std::unexpected(foreign(read.error()));
    return read_one(*read);
}

}  // namespace pgc
