#include "cli/lag_command.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <expected>
#include <iterator>
#include <vector>

#include "cli/error_output.h"
#include "cli/instance.h"
#include "cli/signals.h"
#include "cli/slot_text.h"
#include "cli/sql_session.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "observe/wall_text.h"
#include "server/health_json.h"

namespace pgc {
namespace {

constexpr std::string_view kMissing =
    "there is no such slot; pg-capture creates it when it starts without a stored position";
constexpr std::string_view kLost =
    "nothing can be read from it any more: pg-capture position reset --drop-slot --yes, and start "
    "again: all tables are read again; changes in between are lost, except for what the rows show "
    "then";

std::string lag_of(const StatusSnapshot& instance) {
    std::string text =
        fmt::format("{}, lag {}, {} changes/s", name(instance.state),
                    instance.progress.lag ? readable_time(*instance.progress.lag) : "unknown",
                    grouped(static_cast<std::uint64_t>(std::llround(instance.changes_per_second))));
    if (!instance.waits_for.empty()) text += ", waits for " + printable(instance.waits_for);
    return text;
}

void append_slot(std::string& out, const SlotInfo& slot) {
    const auto field = [&](std::string_view name, std::string_view value) {
        append_json_field(out, name, value);
        out += ',';
    };
    field("database", slot.database);
    field("reader", slot.reader);
    field("confirmed", slot.confirmed);
    field("restart", slot.restart);
    field("server_end", slot.server_end);
    field("wal_status", slot.wal_status);
    fmt::format_to(std::back_inserter(out),
                   R"("active":{},"lost":{},"behind_bytes":{},"retained_bytes":{},{},)",
                   slot.active, slot.lost, slot.behind_bytes, slot.retained_bytes, room_json(slot));
}

// What is looked at, again and again.
class LagWatch {
public:
    LagWatch(Invocation& invocation, const Program& program)
        : deps_(invocation.deps), program_(program), session_(deps_, program, "pg-capture lag") {}

    Result<LagReport> look() {
        if (!link_) {
            auto link = session_.connect();
            if (!link) return std::unexpected(std::move(link.error()));
            link_.emplace(std::move(*link));
        }
        auto slot = find_slot(*link_, session_.config().slot);
        if (!slot) {
            link_.reset();
            return std::unexpected(std::move(slot.error()));
        }
        return LagReport{.at = deps_.clock.wall(),
                         .slot = session_.config().slot,
                         .info = std::move(*slot),
                         .instance = instance()};
    }

private:
    // Another pipeline's lag would be no answer.
    std::optional<StatusSnapshot> instance() {
        auto status = ask_instance(program_.settings, deps_.files, deps_.clock);
        if (!status || status->about.pipeline != session_.spec().name()) return std::nullopt;
        return std::move(*status);
    }

    Deps& deps_;
    const Program& program_;
    SqlSession session_;
    std::optional<BlockingLink> link_;
};

std::expected<std::optional<Duration>, ExitCode> parse_watch(Invocation& invocation) {
    constexpr double kLeast_s = 0.1;
    constexpr double kMost_s = 86'400;
    const std::string text = invocation.line.value("watch");
    if (!invocation.line.has("watch")) return std::nullopt;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(seconds >= kLeast_s && seconds <= kMost_s)) {
        return std::unexpected(report_usage_error(
            invocation.deps,
            "flag --watch: " + text + " is not a number of seconds from 0.1 to 86400"));
    }
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

ExitCode verdict(const LagReport& report) {
    return report.info && !report.info->lost ? ExitCode::done : ExitCode::findings;
}

// Until a signal. A server that goes away meanwhile is asked again.
ExitCode watch(Invocation& invocation, LagWatch& lag, LagReport first, Duration every) {
    Deps& deps = invocation.deps;
    StopRequest stop;
    const Signals signals(stop);
    const Obedience obedience(deps.console, stop);
    PollWaiter waiter(deps.clock);
    Result<LagReport> report = std::move(first);
    ExitCode code = ExitCode::done;
    for (Instant next = deps.clock.now();;) {
        if (report) {
            code = verdict(*report);
            deps.console.out(invocation.json() ? lag_json(*report) : lag_line(*report));
        } else {
            code = report_error(invocation, report.error());
        }
        for (next = std::max(next + every, deps.clock.now()); deps.clock.now() < next;) {
            if (stop.drain() || deps.console.out_is_over()) return code;
            Wants wants;
            wants.readable(stop.wake_fd());
            wants.until(next);
            waiter.wait(wants);
        }
        report = lag.look();
    }
}

}  // namespace

std::string lag_text(const LagReport& report) {
    std::vector<std::vector<std::string>> rows;
    const auto row = [&](std::string_view label, std::string text) {
        rows.push_back({std::string{label}, std::move(text)});
    };
    row("slot", printable(report.slot));
    if (!report.info) {
        row("", std::string{kMissing});
    } else {
        const SlotInfo& slot = *report.info;
        row("read by", slot.active ? printable(slot.reader) : "nobody");
        row("behind", fmt::format("{} of WAL", readable_bytes(slot.behind_bytes)));
        row("kept for it", fmt::format("{} of WAL", readable_bytes(slot.retained_bytes)));
        row("status", slot.wal_status + room_text(slot));
        if (slot.lost) row("", std::string{kLost});
        row("confirmed", slot.confirmed);
        row("restart", slot.restart);
        row("server's end", slot.server_end);
    }
    row("instance", report.instance ? lag_of(*report.instance) : "none answers");
    return aligned(rows);
}

std::string lag_line(const LagReport& report) {
    std::string line;
    append_wall_time(line, report.at);
    if (!report.info) {
        fmt::format_to(std::back_inserter(line), "  no slot {}", printable(report.slot));
    } else {
        fmt::format_to(std::back_inserter(line), "  {} behind  {} kept  {}{}",
                       readable_bytes(report.info->behind_bytes),
                       readable_bytes(report.info->retained_bytes), report.info->wal_status,
                       room_text(*report.info));
    }
    line += "  " + (report.instance ? lag_of(*report.instance) : "no instance answers");
    return line + '\n';
}

std::string lag_json(const LagReport& report) {
    std::string out = R"({"at":")";
    append_wall_time(out, report.at);
    out += R"(","slot":)";
    append_json_string(out, report.slot);
    fmt::format_to(std::back_inserter(out), R"(,"found":{},)", report.info.has_value());
    if (report.info) append_slot(out, *report.info);
    out += R"("instance":)";
    std::string instance = report.instance ? health_json(*report.instance) : "null\n";
    instance.pop_back();  // its line end
    return out + instance + "}\n";
}

ExitCode run_lag(Invocation& invocation) {
    const auto every = parse_watch(invocation);
    if (!every) return every.error();
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    LagWatch lag(invocation, *program);
    auto report = lag.look();
    if (!report) return report_error(invocation, report.error());
    if (*every) return watch(invocation, lag, std::move(*report), **every);
    invocation.deps.console.out(invocation.json() ? lag_json(*report) : lag_text(*report));
    return verdict(*report);
}

}  // namespace pgc
