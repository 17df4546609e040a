// pg-capture lag: how far behind, as the server knows it, whether an instance runs or not.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "cli/command.h"
#include "observe/status.h"
#include "postgres/slots/slots.h"

namespace pgc {

ExitCode run_lag(Invocation& invocation);

// One look.
struct LagReport {
    WallTime at;
    std::string slot;                        // the configured one
    std::optional<SlotInfo> info;            // none: there is no such slot
    std::optional<StatusSnapshot> instance;  // of the same pipeline, if one answers
};
std::string lag_text(const LagReport& report);  // aligned lines
std::string lag_line(const LagReport& report);  // one line, for --watch
std::string lag_json(const LagReport& report);  // one line

}  // namespace pgc
