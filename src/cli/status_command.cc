#include "cli/status_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/error_output.h"
#include "cli/instance.h"
#include "cli/program.h"
#include "cli/table.h"
#include "observe/status_line.h"
#include "observe/wall_text.h"
#include "server/health_json.h"

namespace pgc {
namespace {

std::string wall_text(WallTime at) {
    std::string text;
    append_wall_time(text, at);
    return text;
}

std::string ago(WallTime at, WallTime now) {
    const std::chrono::microseconds since{std::max<std::int64_t>(now.unix_us - at.unix_us, 0)};
    return fmt::format("{} ago, at {}", readable_time(since), wall_text(at));
}

std::string instance_text(const StatusSnapshot& status) {
    std::string text = "pg-capture";
    if (!status.about.version.empty()) text += ' ' + printable(status.about.version);
    return text + ", up for " + readable_time(status.uptime);
}

std::string buffer_text(const StatusSnapshot& status) {
    std::string text = readable_bytes(status.progress.buffer_bytes);
    if (status.about.buffer_limit_bytes > 0) {
        text += " of " + readable_bytes(status.about.buffer_limit_bytes);
    }
    return text;
}

}  // namespace

std::string status_text(const StatusSnapshot& status, WallTime now) {
    const PipelineProgress& progress = status.progress;
    std::vector<std::vector<std::string>> rows;
    const auto row = [&](std::string_view label, std::string text) {
        rows.push_back({std::string{label}, std::move(text)});
    };
    row("pipeline", printable(status.about.pipeline));
    row("instance", instance_text(status));
    row("state",
        fmt::format("{} for {}{}", name(status.state), readable_time(status.in_state),
                    status.since == WallTime{} ? "" : ", since " + wall_text(status.since)));
    if (!status.not_live_because.empty()) row("not live", printable(status.not_live_because));
    if (status.stream != StreamState::none) {
        row("stream",
            fmt::format("{} for {}", name(status.stream), readable_time(status.stream_for)));
    }
    if (!status.waits_for.empty()) row("waits for", printable(status.waits_for));
    if (status.attempts > 0) {
        row("attempts", fmt::format("{} in a row have failed", grouped(status.attempts)));
    }
    row("lag", progress.lag ? lag_text(progress, ", ", " of WAL")
                            : "unknown while nothing is read; ask the server: pg-capture lag");
    row("rate",
        fmt::format("{} changes/s, {} since it started",
                    grouped(static_cast<std::uint64_t>(std::llround(status.changes_per_second))),
                    grouped(progress.changes)));
    if (progress.snapshot) row("snapshot", describe(*progress.snapshot));
    for (const auto& [table, mode] : progress.tables) {
        row("table", printable(table) + ": " + printable(mode));
    }
    row("latency", status.latency
                       ? fmt::format("p50 {}, p99 {}", readable_time(status.latency->p50),
                                     readable_time(status.latency->p99))
                       : "nothing was confirmed in the last 10 s");
    row("received", to_string(progress.received));
    row("confirmed", to_string(progress.confirmed));
    row("server's end", to_string(progress.server_end));
    row("buffer", buffer_text(status));
    row("sink", fmt::format("{}, {}", printable(status.about.sink), name(progress.sink)));
    if (status.last_error) {
        const Error& error = *status.last_error;
        row("last error", ago(status.last_error_at, now));
        row("", printable(error.what) +
                    (error.where.empty() ? "" : " (" + printable(error.where) + ")"));
        if (!error.hint.empty()) row("", "hint: " + printable(error.hint));
    }
    return aligned(rows);
}

ExitCode run_status(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    Deps& deps = invocation.deps;
    const auto status = ask_instance(program->settings, deps.files, deps.clock);
    if (!status) {
        const ExitCode code = report_error(invocation, status.error());
        return code == ExitCode::configuration ? code : ExitCode::absent;
    }
    deps.console.out(invocation.json() ? health_json(*status)
                                       : status_text(*status, deps.clock.wall()));
    return status->live ? ExitCode::done : ExitCode::findings;
}

}  // namespace pgc
