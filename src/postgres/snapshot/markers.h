// EXPORT_START and EXPORT_END: a reload of one table that is ordered, or called off, by whoever
// writes into the database. Seen in the stream at the commit that they came with.
//
//   COMMENT ON TABLE orders IS 'EXPORT_START for the warehouse';
//       The event trigger makes a logical message of it, for no DDL is in the stream:
//       prefix pg_capture.ddl, content {"command":"COMMENT","object_type":"table",
//       "schema":"public","name":"orders","comment":"EXPORT_START for the warehouse",…}
//
//   SELECT pg_logical_emit_message(true, 'pg-capture.reload',
//       '{"marker":"EXPORT_START","schema":"public","name":"orders"}');
//
// The marker is the comment's first word. Every role may emit either message: what they may order
// is what messages may (SnapshotJobs).
//
// Pure. What can't be understood is said in one clause, without the text itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/lsn.h"
#include "core/snapshot.h"

namespace pgc {

inline constexpr std::string_view kDdlPrefix = "pg_capture.ddl";
inline constexpr std::string_view kMarkerPrefix = "pg-capture.reload";

struct ExportMarker {
    bool starts = false;  // else it ends
    std::string schema;
    std::string table;
    bool operator==(const ExportMarker&) const = default;
};

// Nothing if the message has nothing to do with markers.
[[nodiscard]] Result<std::optional<ExportMarker>, std::string> marker_of_message(
    std::string_view prefix, std::string_view content);

// What it asks for: `at` is the LSN of its message, which no other one has, so that it is the same
// request when the log is read again; `commit` that of its transaction's commit.
SnapshotCommand command_of_marker(const ExportMarker& marker, Lsn at, Lsn commit);

}  // namespace pgc
