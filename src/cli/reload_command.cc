#include "cli/reload_command.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "cli/instance.h"
#include "cli/new_snapshot.h"
#include "cli/snapshot_watch.h"
#include "core/snapshot.h"
#include "observe/status_line.h"

namespace pgc {
namespace {

// Which tables it means, the instance asks its server: in an instant, if that answers.
constexpr Duration kKnown_max = std::chrono::seconds{3};

// As it was reported when its tables were known, or it was over.
std::optional<SnapshotReport::Request> known_reload(Invocation& invocation,
                                                    const Settings& settings,
                                                    const std::string& id) {
    Deps& deps = invocation.deps;
    PollWaiter waiter(deps.clock);
    const Instant until = deps.clock.now() + kKnown_max;
    for (Instant now = deps.clock.now(); now < until; now = deps.clock.now()) {
        const auto found = ask_snapshot(settings, deps.files, deps.clock, id);
        if (found && *found && ((*found)->tables > 0 || is_over((*found)->state))) return **found;
        Wants wants;
        wants.until(now + SnapshotWatch::kPoll_every);
        waiter.wait(wants);
    }
    return std::nullopt;
}

}  // namespace

ExitCode run_reload(Invocation& invocation) {
    const auto requested =
        request_new_snapshot(invocation, ReloadOrder{.by = std::string{kOrderedByRequest}});
    if (!requested) return requested.error();
    const auto& [program, id] = *requested;
    const bool waits = invocation.line.has("wait");
    const auto begun = waits ? std::nullopt : known_reload(invocation, program.settings, id);
    if (waits || (begun && is_over(begun->state))) {
        return SnapshotWatch(invocation, program.settings, id, SnapshotWatch::Known::yes).run();
    }
    Deps& deps = invocation.deps;
    if (invocation.json()) {
        deps.console.out(fmt::format("{{\"id\":\"{}\"}}\n", id));
        return ExitCode::done;
    }
    const std::string what = begun ? fmt::format(" of {} {}", grouped(begun->tables),
                                                 begun->tables == 1 ? "table" : "tables")
                                   : std::string{};
    deps.console.out(fmt::format(
        "Reload {0}{1} is ordered; pg-capture snapshot wait {0} shows its progress.\n", id, what));
    return ExitCode::done;
}

}  // namespace pgc
