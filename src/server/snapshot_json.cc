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
constexpr JsonLimits kReportLimits{.fields = 65'536};

void append_text_or_null(std::string& out, std::string_view head, std::string_view text) {
    out += head;
    text.empty() ? void(out += "null") : append_json_string(out, text);
}

void append_time_or_null(std::string& out, std::string_view head, WallTime at) {
    std::string text;
    if (at != WallTime{}) append_wall_time(text, at);
    append_text_or_null(out, head, text);
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
    append_text_or_null(out, R"(,"reason":)", snapshot.reason);
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

std::optional<SnapshotReport::State> state_of(std::string_view word) {
    using enum SnapshotReport::State;
    for (const auto state : std::array{waiting, reading, paused, done, cancelled, failed}) {
        if (name(state) == word) return state;
    }
    return std::nullopt;
}

// The members below one path: "snapshots.3.", or all of them.
class Part {
public:
    Part(const JsonFields& fields, std::string prefix)
        : fields_(fields), prefix_(std::move(prefix)) {}

    std::string text(std::string_view name) const { return fields_.text(path(name)).value_or(""); }
    std::uint64_t count(std::string_view name) const {
        return fields_.number<std::uint64_t>(path(name)).value_or(0);
    }
    WallTime time(std::string_view name) const {
        return parse_wall_time(text(name)).value_or(WallTime{});
    }
    bool has(std::string_view name) const { return fields_.has(path(name)); }
    Part part(std::string_view list, std::size_t index) const {
        return {fields_, path(fmt::format("{}.{}.", list, index))};
    }

private:
    std::string path(std::string_view name) const { return prefix_ + std::string{name}; }

    const JsonFields& fields_;
    const std::string prefix_;
};

Result<SnapshotReport::Request> read_one(const Part& part) {
    const auto state = state_of(part.text("state"));
    if (!state || part.text("id").empty()) {
        return std::unexpected(foreign("it has neither an id nor a state"));
    }
    SnapshotReport::Request snapshot{.id = part.text("id"),
                                     .state = *state,
                                     .reason = part.text("reason"),
                                     .tables = part.count("tables"),
                                     .tables_done = part.count("tables_done"),
                                     .rows = part.count("rows"),
                                     .rows_expected = part.count("rows_expected"),
                                     .rows_per_second = part.count("rows_per_second"),
                                     .began = part.time("began"),
                                     .ended = part.time("ended")};
    for (std::size_t i = 0; part.part("open", i).has("table"); ++i) {
        const Part table = part.part("open", i);
        snapshot.open.push_back({.name = table.text("table"),
                                 .rows = table.count("rows"),
                                 .rows_expected = table.count("rows_expected")});
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
    const auto fields = read_json(json, kReportLimits);
    if (!fields) return std::unexpected(foreign(fields.error()));
    const Part all(*fields, {});
    SnapshotReport report;
    for (std::size_t i = 0; all.part("snapshots", i).has("id"); ++i) {
        auto snapshot = read_one(all.part("snapshots", i));
        if (!snapshot) return std::unexpected(std::move(snapshot.error()));
        report.requests.push_back(std::move(*snapshot));
    }
    if (report.requests.empty() && !all.has("snapshots")) {
        return std::unexpected(foreign("it lists no snapshots"));
    }
    return report;
}

Result<SnapshotReport::Request> read_snapshot(std::string_view json) {
    const auto fields = read_json(json, kReportLimits);
    if (!fields) return std::unexpected(foreign(fields.error()));
    return read_one(Part(*fields, {}));
}

}  // namespace pgc
