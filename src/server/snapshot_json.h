// What GET /snapshots says, written by the instance and read by `pg-capture snapshot`: the
// two directions stand together so that they can't come apart. Every field:
// docs/reference/api.md.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/snapshot.h"

namespace pgc {

// {"snapshots":[{"id":"initial","state":"reading",…}]} and a line end.
std::string snapshots_json(const SnapshotReport& report);
// One of them, {"id":"initial",…}, and a line end.
std::string snapshot_json(const SnapshotReport::Request& snapshot);

// The other way. What is missing reads as nothing; what can't be such an answer at all is an
// Error (protocol). The texts come from whoever answered: printable() before they go to a
// terminal.
Result<SnapshotReport> read_snapshots(std::string_view json);
Result<SnapshotReport::Request> read_snapshot(std::string_view json);

}  // namespace pgc
