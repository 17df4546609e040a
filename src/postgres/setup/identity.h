// Reads what a replication link says of the server's identity.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/source.h"
#include "pgclient/link.h"

namespace pgc {

// IDENTIFY_SYSTEM: fills in system, timeline, database and server_end.
[[nodiscard]] Result<void> read_system(const Rows& rows, SourceIdentity& identity);

// TIMELINE_HISTORY. Lines it can't read are left out: a switch that is not known of
// makes a stored position on that timeline unlawful, which stops, never skips.
std::vector<TimelineSwitch> read_history(const Rows& rows);

}  // namespace pgc
