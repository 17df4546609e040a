// Requests for snapshots that come with the stream itself, for those who can't reach the
// instance: a logical message, or a row in a signal table as Debezium's.
//
//   SELECT pg_logical_emit_message(true, 'pg-capture.snapshot',
//       '{"command":"start","id":"mine","tables":["public.orders"]}');
//   command: start, reload, pause, resume, cancel. No condition: every role may emit messages, and
//   a condition is SQL that runs as ours.
//
//   INSERT INTO signals (id, type, data) VALUES ('mine', 'execute-snapshot',
//       '{"data-collections":["public.orders"],
//         "additional-conditions":[{"data-collection":"public.orders","filter":"id > 5"}]}');
//   type: execute-snapshot; pause-snapshot, resume-snapshot, stop-snapshot: of all that were
//   requested, or of those that name one of the data-collections
//
// Pure. What can't be understood is said in one clause, without the text itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/snapshot.h"

namespace pgc {

inline constexpr std::string_view kSnapshotPrefix = "pg-capture.snapshot";

[[nodiscard]] Result<SnapshotCommand, std::string> command_of_message(std::string_view content);

// One row may request several: a table with a filter is a snapshot of its own, id-1, id-2 …
[[nodiscard]] Result<std::vector<SnapshotCommand>, std::string> commands_of_signal(
    std::string_view id, std::string_view type, std::string_view data);

}  // namespace pgc
