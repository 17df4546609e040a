#include "server/health_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "observe/json_reader.h"
#include "observe/json_text.h"
#include "observe/wall_text.h"

namespace pgc {
namespace {

double in_seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

void append_text(std::string& out, std::string_view head, std::string_view text) {
    out += head;
    append_json_string(out, text);
}

void append_time(std::string& out, std::string_view head, WallTime at) {
    out += head;
    out += '"';
    append_wall_time(out, at);
    out += '"';
}

void append_error(std::string& out, const StatusSnapshot& status) {
    out += R"(,"last_error":)";
    if (!status.last_error) {
        out += "null";
        return;
    }
    const Error& error = *status.last_error;
    append_time(out, R"({"at":)", status.last_error_at);
    append_text(out, R"(,"text":)", describe(error));
    append_text(out, R"(,"category":)", name(error.category));
    append_text(out, R"(,"what":)", error.what);
    append_text(out, R"(,"where":)", error.where);
    append_text(out, R"(,"hint":)", error.hint);
    out += '}';
}

void append_stream(std::string& out, const StatusSnapshot& status) {
    out += R"(,"stream":)";
    if (status.stream == StreamState::none) {
        out += "null";
        return;
    }
    fmt::format_to(std::back_inserter(out), R"({{"state":"{}","seconds":{}}})", name(status.stream),
                   in_seconds(status.stream_for));
}

void append_position(std::string& out, const StatusSnapshot& status) {
    const PipelineProgress& progress = status.progress;
    if (progress.lag) {
        fmt::format_to(std::back_inserter(out), R"(,"lag_seconds":{},"behind_bytes":{})",
                       in_seconds(*progress.lag), *progress.behind_bytes());
    } else {
        out += R"(,"lag_seconds":null,"behind_bytes":null)";
    }
    fmt::format_to(std::back_inserter(out),
                   R"(,"received":"{}","confirmed":"{}",)"
                   R"("server_end":"{}","changes":{},"changes_per_second":{},"latency":)",
                   to_string(progress.received), to_string(progress.confirmed),
                   to_string(progress.server_end), progress.changes, status.changes_per_second);
    if (status.latency) {
        fmt::format_to(std::back_inserter(out), R"({{"p50_seconds":{},"p99_seconds":{}}})",
                       in_seconds(status.latency->p50), in_seconds(status.latency->p99));
    } else {
        out += "null";
    }
}

void append_snapshot(std::string& out, const std::optional<SnapshotBrief>& snapshot) {
    out += R"(,"snapshot":)";
    if (!snapshot) {
        out += "null";
        return;
    }
    fmt::format_to(std::back_inserter(out),
                   R"({{"tables":{},"tables_done":{},"rows":{},"rows_expected":{},)"
                   R"("rows_per_second":{}}})",
                   snapshot->tables, snapshot->tables_done, snapshot->rows, snapshot->rows_expected,
                   snapshot->rows_per_second);
}

void append_table_modes(std::string& out, const PipelineProgress& progress) {
    out += R"(,"tables":[)";
    for (const auto& [table, mode] : progress.tables) {
        if (out.back() != '[') out += ',';
        append_text(out, R"({"table":)", table);
        append_text(out, R"(,"mode":)", mode);
        out += '}';
    }
    out += ']';
}

// -- reading ---------------------------------------------------------------------------------

// A time that somebody claims: what can't be one is none.
Duration time_of(const Json& value) {
    constexpr double kMost_s = 1e9;
    const double seconds = value.number().value_or(0);
    if (!(seconds > 0 && seconds < kMost_s)) return Duration{0};
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string text_of(const Json& value) {
    return value.text().value_or("");
}

std::uint64_t count_of(const Json& value) {
    return value.count().value_or(0);
}

template <typename Enum, std::size_t N>
std::optional<Enum> named(std::string_view word, const std::array<Enum, N>& all) {
    for (const Enum value : all) {
        if (name(value) == word) return value;
    }
    return std::nullopt;
}

std::optional<PipelineState> state_of(std::string_view word) {
    using enum PipelineState;
    return named(word,
                 std::array{starting, connecting, streaming, waiting, draining, stopped, failed});
}

SinkState sink_state_of(std::string_view word) {
    using enum SinkState;
    return named(word, std::array{closed, ready, full, waiting}).value_or(closed);
}

WaitsOn waits_on_of(std::string_view word) {
    using enum WaitsOn;
    return named(word, std::array{source, sink, format, store}).value_or(nothing);
}

StreamState stream_state_of(std::string_view word) {
    using enum StreamState;
    return named(word, std::array{idle, working, blocked, dead}).value_or(none);
}

Error::Category category_of(std::string_view word) {
    using enum Error::Category;
    return named(word, std::array{configuration, connection, authentication, permission, server,
                                  protocol, position, data, sink, storage, internal})
        .value_or(internal);
}

std::optional<SnapshotBrief> read_snapshot_brief(const Json& snapshot) {
    if (!snapshot.member("rows").exists()) return std::nullopt;
    return SnapshotBrief{.tables = count_of(snapshot.member("tables")),
                         .tables_done = count_of(snapshot.member("tables_done")),
                         .rows = count_of(snapshot.member("rows")),
                         .rows_expected = count_of(snapshot.member("rows_expected")),
                         .rows_per_second = count_of(snapshot.member("rows_per_second"))};
}

std::vector<std::pair<std::string, std::string>> read_table_modes(const Json& tables) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const Json& table : tables.elements()) {
        all.emplace_back(text_of(table.member("table")), text_of(table.member("mode")));
    }
    return all;
}

PipelineProgress read_progress(const Json& health) {
    const auto lsn = [&](std::string_view name) {
        return parse_lsn(text_of(health.member(name))).value_or(Lsn{});
    };
    const Json lag = health.member("lag_seconds");
    return {.changes = count_of(health.member("changes")),
            .received = lsn("received"),
            .confirmed = lsn("confirmed"),
            .server_end = lsn("server_end"),
            .lag = lag.number() ? std::optional{time_of(lag)} : std::nullopt,
            .buffer_bytes = count_of(health.member("buffer_bytes")),
            .sink = sink_state_of(text_of(health.member("sink").member("state"))),
            .sink_waits_for = {},
            .format_waits_for = {},
            .tables = read_table_modes(health.member("tables")),
            .snapshot = read_snapshot_brief(health.member("snapshot"))};
}

void read_last_error(const Json& last, StatusSnapshot& status) {
    if (!last.member("at").exists()) return;
    Error error = stop(category_of(text_of(last.member("category"))), text_of(last.member("what")));
    error.where = text_of(last.member("where"));
    error.hint = text_of(last.member("hint"));
    if (error.what.empty()) error.what = text_of(last.member("text"));
    status.last_error = std::move(error);
    status.last_error_at = parse_wall_time(text_of(last.member("at"))).value_or(WallTime{});
}

void append_health(std::string& out, const StatusSnapshot& status) {
    append_text(out, R"({"pipeline":)", status.about.pipeline);
    append_text(out, R"(,"version":)", status.about.version);
    fmt::format_to(std::back_inserter(out), R"(,"uptime_seconds":{},"state":"{}")",
                   in_seconds(status.uptime), name(status.state));
    append_time(out, R"(,"since":)", status.since);
    fmt::format_to(std::back_inserter(out), R"(,"in_state_seconds":{},"live":{},"ready":{})",
                   in_seconds(status.in_state), status.live, status.ready);
    append_json_or_null(out, R"(,"not_live_because":)", status.not_live_because);
    append_json_or_null(out, R"(,"waits_on":)",
                        status.waits_on == WaitsOn::nothing ? "" : name(status.waits_on));
    append_json_or_null(out, R"(,"waits_for":)", status.waits_for);
    append_stream(out, status);
    fmt::format_to(std::back_inserter(out), R"(,"failed_attempts":{})", status.attempts);
    append_position(out, status);
    fmt::format_to(std::back_inserter(out), R"(,"buffer_bytes":{},"buffer_limit_bytes":{})",
                   status.progress.buffer_bytes, status.about.buffer_limit_bytes);
    append_snapshot(out, status.progress.snapshot);
    append_table_modes(out, status.progress);
    append_text(out, R"(,"sink":{"kind":)", status.about.sink);
    fmt::format_to(std::back_inserter(out), R"(,"state":"{}"}})", name(status.progress.sink));
    append_error(out, status);
    out += '}';
}

}  // namespace

std::string health_json(const StatusSnapshot& status) {
    std::string out;
    append_health(out, status);
    return out + '\n';
}

std::string health_json(std::span<const StatusSnapshot> all) {
    std::string out = fmt::format(R"({{"live":{},"ready":{},"pipelines":[)",
                                  std::ranges::all_of(all, &StatusSnapshot::live),
                                  std::ranges::all_of(all, &StatusSnapshot::ready));
    for (const StatusSnapshot& status : all) {
        if (&status != all.data()) out += ',';
        append_health(out, status);
    }
    return out + "]}\n";
}

Result<StatusSnapshot> read_health(std::string_view json) {
    const auto foreign = [](std::string_view why) {
        return std::unexpected(
            stop(Error::Category::protocol, fmt::format("this is not a health answer: {}", why)));
    };
    const auto health = read_json(json);
    if (!health) return foreign(health.error());
    const auto member = [&](std::string_view name) { return health->member(name); };
    const auto state = state_of(text_of(member("state")));
    const auto pipeline = member("pipeline").text();
    if (!state || !pipeline) return foreign("it has neither a pipeline nor its state");
    StatusSnapshot status;
    status.about = {.pipeline = *pipeline,
                    .version = text_of(member("version")),
                    .sink = text_of(member("sink").member("kind")),
                    .buffer_limit_bytes = count_of(member("buffer_limit_bytes"))};
    status.uptime = time_of(member("uptime_seconds"));
    status.state = *state;
    status.since = parse_wall_time(text_of(member("since"))).value_or(WallTime{});
    status.in_state = time_of(member("in_state_seconds"));
    status.live = member("live").boolean().value_or(false);
    status.ready = member("ready").boolean().value_or(false);
    status.not_live_because = text_of(member("not_live_because"));
    status.waits_on = waits_on_of(text_of(member("waits_on")));
    status.waits_for = text_of(member("waits_for"));
    status.stream = stream_state_of(text_of(member("stream").member("state")));
    status.stream_for = time_of(member("stream").member("seconds"));
    status.attempts = count_of(member("failed_attempts"));
    status.progress = read_progress(*health);
    status.changes_per_second = member("changes_per_second").number().value_or(0);
    if (!(status.changes_per_second >= 0 && status.changes_per_second < 1e12)) {
        status.changes_per_second = 0;
    }
    const Json latency = member("latency");
    if (latency.member("p50_seconds").exists()) {
        status.latency = {time_of(latency.member("p50_seconds")),
                          time_of(latency.member("p99_seconds"))};
    }
    read_last_error(member("last_error"), status);
    return status;
}

}  // namespace pgc
