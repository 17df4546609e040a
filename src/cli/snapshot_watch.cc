#include "cli/snapshot_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/error_output.h"
#include "cli/instance.h"
#include "cli/program.h"
#include "cli/progress_bars.h"
#include "cli/table.h"
#include "observe/status_line.h"
#include "server/snapshot_json.h"

namespace pgc {
namespace {

std::string progress_line(const SnapshotReport::Request& snapshot) {
    std::string line =
        fmt::format("{}  {}  {}", snapshot.id, name(snapshot.state),
                    describe(SnapshotBrief{.tables = snapshot.tables,
                                           .tables_done = snapshot.tables_done,
                                           .rows = snapshot.rows,
                                           .rows_expected = snapshot.rows_expected,
                                           .rows_per_second = snapshot.rows_per_second}));
    if (!snapshot.reason.empty()) line += "  " + printable(snapshot.reason);
    return line + '\n';
}

std::string end_text(const SnapshotReport::Request& snapshot) {
    using enum SnapshotReport::State;
    if (snapshot.state == failed) {
        return fmt::format("Snapshot {} has failed: {}.\n", snapshot.id,
                           printable(snapshot.reason));
    }
    const std::chrono::microseconds took{
        std::max<std::int64_t>(snapshot.ended.unix_us - snapshot.began.unix_us, 0)};
    const std::string rows = grouped(snapshot.rows) + (snapshot.rows == 1 ? " row" : " rows");
    if (snapshot.state == cancelled) {
        return fmt::format("Snapshot {} is cancelled, after {}.\n", snapshot.id, rows);
    }
    return fmt::format("Snapshot {} is done: {} in {}.\n", snapshot.id, rows, readable_time(took));
}

}  // namespace

SnapshotWatch::SnapshotWatch(Invocation& invocation, const Settings& settings, std::string id,
                             Known known)
    : invocation_(invocation),
      deps_(invocation.deps),
      settings_(settings),
      id_(std::move(id)),
      bars_(!invocation.json() && deps_.console.out_is_terminal()),
      signals_(stop_),
      obedience_(deps_.console, stop_),
      waiter_(deps_.clock),
      known_(known == Known::yes),
      seen_(deps_.clock.now()),
      next_line_(seen_) {}

ExitCode SnapshotWatch::run() {
    for (;;) {
        const auto found = ask_snapshot(settings_, deps_.files, deps_.clock, id_);
        if (over()) return interrupted();
        if (found && *found) {
            known_ = true;
            seen_ = deps_.clock.now();
            last_ = **found;
            if (is_over(last_->state)) return finish(*last_);
            show(*last_);
        } else {
            const Error why =
                found ? stop(Error::Category::server, fmt::format("there is no snapshot {}", id_))
                            .with_hint("see pg-capture snapshot list for those there are")
                      : found.error();
            if (!known_ || deps_.clock.now() - seen_ >= kAbsent_max) return absent(why);
            show_absence(why);
        }
        if (!pause()) return interrupted();
    }
}

ExitCode SnapshotWatch::absent(const Error& error) {
    draw({});
    return report_instance_error(invocation_, error);
}

void SnapshotWatch::show(const SnapshotReport::Request& snapshot) {
    if (bars_) {
        draw(progress_bars(snapshot, deps_.console.out_width()));
    } else if (line_is_due()) {
        deps_.console.out(progress_line(snapshot));
    }
}

void SnapshotWatch::show_absence(const Error& error) {
    const std::string why = printable(error.what) + "; asking again";
    if (bars_) {
        draw({why.substr(0, deps_.console.out_width())});
    } else if (line_is_due()) {
        deps_.console.out(why + '\n');
    }
}

void SnapshotWatch::draw(const std::vector<std::string>& lines) {
    if (!bars_) return;
    deps_.console.out(drawn_over(drawn_, lines));
    drawn_ = lines.size();
}

bool SnapshotWatch::line_is_due() {
    const Instant now = deps_.clock.now();
    if (invocation_.json() || now < next_line_) return false;
    next_line_ = now + kLine_every;
    return true;
}

// By a signal, or because nobody looks any more.
bool SnapshotWatch::over() const {
    return stop_.drain() || deps_.console.out_is_over();
}

// Until it is time to ask again; false when there is no more watching.
bool SnapshotWatch::pause() {
    const Instant next = deps_.clock.now() + kPoll_every;
    while (!over() && deps_.clock.now() < next) {
        Wants wants;
        wants.readable(stop_.wake_fd());
        wants.until(next);
        waiter_.wait(wants);
    }
    return !over();
}

ExitCode SnapshotWatch::finish(const SnapshotReport::Request& snapshot) {
    draw({});
    deps_.console.out(invocation_.json() ? snapshot_json(snapshot) : end_text(snapshot));
    return snapshot.state == SnapshotReport::State::done ? ExitCode::done : ExitCode::findings;
}

ExitCode SnapshotWatch::interrupted() {
    if (invocation_.json() && last_) deps_.console.out(snapshot_json(*last_));
    print_note(deps_, fmt::format("stopped watching; the snapshot continues. To watch it again: "
                                  "pg-capture snapshot wait {}",
                                  id_));
    return ExitCode::interrupted;
}

ExitCode report_instance_error(Invocation& invocation, const Error& error) {
    using enum Error::Category;
    report_error(invocation, error);
    if (error.category == configuration) return ExitCode::configuration;
    return error.category == server ? ExitCode::findings : ExitCode::absent;
}

}  // namespace pgc
