#include "cli/snapshot_commands.h"

#include <fmt/format.h>

#include <expected>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/error_output.h"
#include "cli/instance.h"
#include "cli/new_snapshot.h"
#include "cli/program.h"
#include "cli/snapshot_watch.h"
#include "cli/table.h"
#include "observe/status_line.h"
#include "observe/wall_text.h"
#include "server/snapshot_json.h"

namespace pgc {
namespace {

std::string rows_text(const SnapshotReport::Request& snapshot) {
    std::string text = grouped(snapshot.rows);
    if (is_over(snapshot.state) || snapshot.rows_expected == 0) return text;
    text += " of about " + grouped(snapshot.rows_expected);
    const auto percent = percent_of(snapshot.rows, snapshot.rows_expected);
    return percent ? text + fmt::format(" ({} %)", *percent) : text;
}

std::string tables_text(const SnapshotReport::Request& snapshot) {
    if (snapshot.tables == 0) return {};
    if (snapshot.state == SnapshotReport::State::done) return grouped(snapshot.tables);
    return fmt::format("{} of {}", grouped(snapshot.tables_done), grouped(snapshot.tables));
}

std::string note(const SnapshotReport::Request& snapshot) {
    if (!snapshot.reason.empty()) return printable(snapshot.reason);
    if (snapshot.state != SnapshotReport::State::reading) return {};
    const auto left = time_left(snapshot.rows, snapshot.rows_expected, snapshot.rows_per_second);
    return fmt::format("{} rows/s{}{}", grouped(snapshot.rows_per_second), left.empty() ? "" : ", ",
                       left);
}

std::string moment(WallTime at) {
    std::string text;
    if (at != WallTime{}) append_wall_time(text, at);
    return text;
}

std::string as_table(const SnapshotReport& report) {
    if (report.requests.empty()) return "No snapshot is under way, and none has ended lately.\n";
    std::vector<std::vector<std::string>> rows{
        {"SNAPSHOT", "STATE", "TABLES", "ROWS", "BEGAN", "ENDED", ""}};
    for (const SnapshotReport::Request& snapshot : report.requests) {
        rows.push_back({printable(snapshot.id), std::string{name(snapshot.state)},
                        tables_text(snapshot), rows_text(snapshot), moment(snapshot.began),
                        moment(snapshot.ended), note(snapshot)});
    }
    return aligned(rows);
}

// What was meant as the id of a snapshot.
std::expected<std::string, ExitCode> given_id(Invocation& invocation, std::string_view command) {
    const auto& arguments = invocation.line.arguments;
    if (arguments.size() == 1 && is_snapshot_id(arguments.front())) return arguments.front();
    return std::unexpected(report_usage_error(
        invocation.deps,
        fmt::format("{} takes the id of one snapshot; see pg-capture snapshot list", command)));
}

ExitCode change(Invocation& invocation, std::string_view verb) {
    const auto id = given_id(invocation, fmt::format("snapshot {}", verb));
    if (!id) return id.error();
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    const auto changed_id =
        change_snapshot(program->settings, invocation.deps.files, invocation.deps.clock, *id, verb);
    if (!changed_id) return report_instance_error(invocation, changed_id.error());
    invocation.deps.console.out(
        invocation.json() ? fmt::format("{{\"id\":\"{}\"}}\n", *changed_id)
                          : fmt::format("Requested: {} snapshot {}.\n", verb, *changed_id));
    return ExitCode::done;
}

}  // namespace

ExitCode run_snapshot(Invocation& invocation) {
    const auto requested = request_new_snapshot(invocation);
    if (!requested) return requested.error();
    const auto& [program, id] = *requested;
    if (invocation.line.has("wait")) {
        return SnapshotWatch(invocation, program.settings, id, SnapshotWatch::Known::yes).run();
    }
    invocation.deps.console.out(
        invocation.json()
            ? fmt::format("{{\"id\":\"{}\"}}\n", id)
            : fmt::format(
                  "Snapshot {0} is requested; pg-capture snapshot wait {0} shows its progress.\n",
                  id));
    return ExitCode::done;
}

ExitCode run_snapshot_list(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    const auto report =
        ask_snapshots(program->settings, invocation.deps.files, invocation.deps.clock);
    if (!report) return report_instance_error(invocation, report.error());
    invocation.deps.console.out(invocation.json() ? snapshots_json(*report) : as_table(*report));
    return ExitCode::done;
}

ExitCode run_snapshot_wait(Invocation& invocation) {
    const auto id = given_id(invocation, "snapshot wait");
    if (!id) return id.error();
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    return SnapshotWatch(invocation, program->settings, *id, SnapshotWatch::Known::no).run();
}

ExitCode run_snapshot_pause(Invocation& invocation) {
    return change(invocation, "pause");
}

ExitCode run_snapshot_resume(Invocation& invocation) {
    return change(invocation, "resume");
}

ExitCode run_snapshot_cancel(Invocation& invocation) {
    return change(invocation, "cancel");
}

}  // namespace pgc
