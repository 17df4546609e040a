// A request for a snapshot as it is written and read: the body of POST /snapshots.
//
//   {"tables":["public.orders","shop.*"],"where":"id > 5","id":"orders-again"}
//
// Tables are patterns (core/name_pattern.h). A condition is for one table that is named
// without * and ?. With "reload":true it is a reload, which has no condition. Both directions and
// the check stand together: the command asks as the instance understands.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/snapshot.h"

namespace pgc {

inline constexpr std::size_t kRequestTables_max = 100;
inline constexpr std::size_t kRequestPatternBytes_max = 500;
inline constexpr std::size_t kRequestWhereBytes_max = 10'000;

// What every request must be; its id may be empty: then one is made up. The Error says which
// part is wrong and how it is written (category configuration).
Result<void> check_snapshot_request(const SnapshotRequest& request);

std::string snapshot_request_json(const SnapshotRequest& request);
// Checked. What it doesn't know is refused, not passed over.
Result<SnapshotRequest> read_snapshot_request(std::string_view json);

}  // namespace pgc
