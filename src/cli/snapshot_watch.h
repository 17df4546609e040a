// Watches one snapshot of a running instance until it is over: bars on a terminal, else a
// line every kLine_every, or, for programs, nothing but the last report.
//
// An instance that is gone for less than kAbsent_max is waited for: what is left of a
// snapshot is continued when it runs again. A signal ends the watching, not the snapshot.
#pragma once

#include <optional>
#include <string>

#include "base/wait.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "config/settings.h"
#include "core/snapshot.h"

namespace pgc {

class SnapshotWatch {
public:
    static constexpr Duration kPoll_every = std::chrono::milliseconds{200};
    static constexpr Duration kLine_every = std::chrono::seconds{10};
    static constexpr Duration kAbsent_max = std::chrono::seconds{60};

    // Whether the instance is known to know it: then a restart may be why it doesn't.
    enum class Known : std::uint8_t { no, yes };

    // Both outlive it.
    SnapshotWatch(Invocation& invocation, const Settings& settings, std::string id, Known known);

    // done when the snapshot is, findings when it has failed, was cancelled or is unknown,
    // interrupted after a signal.
    ExitCode run();

private:
    ExitCode absent(const Error& error);
    void show(const SnapshotReport::Request& snapshot);
    void show_absence(const Error& error);
    void draw(const std::vector<std::string>& lines);
    bool line_is_due();
    bool over() const;
    bool pause();
    ExitCode finish(const SnapshotReport::Request& snapshot);
    ExitCode interrupted();

    Invocation& invocation_;
    Deps& deps_;
    const Settings& settings_;
    const std::string id_;
    const bool bars_;
    StopRequest stop_;
    Signals signals_;
    Obedience obedience_;
    PollWaiter waiter_;

    bool known_;
    Instant seen_;
    Instant next_line_;
    std::optional<SnapshotReport::Request> last_;
    std::size_t drawn_ = 0;  // lines on the terminal
};

// Reports why an instance could not be asked (instance.h); the code to end with.
ExitCode report_instance_error(Invocation& invocation, const Error& error);

}  // namespace pgc
