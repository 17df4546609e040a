// A running instance, asked from another process, where http.listen says; with TLS where
// http.tls_cert is given, and then only if it has the key of that certificate.
//
// Errors, by their category:
//   configuration  http.listen is empty, there is nobody to ask; or what is asked for is wrong,
//                  the token among it
//   server         it knows what is asked for and says no
//   any other      no instance of pg-capture answers there; the hint says what to do
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "config/settings.h"
#include "core/snapshot.h"
#include "observe/status.h"

namespace pgc {

// It answers from memory: who needs longer is not answering.
inline constexpr Duration kInstanceAnswer_max = std::chrono::seconds{3};

// What it says of itself.
Result<StatusSnapshot> ask_instance(const Settings& settings, Files& files, const Clock& clock);

// The snapshots it knows of; one of them, or nothing if it knows none of that id.
Result<SnapshotReport> ask_snapshots(const Settings& settings, Files& files, const Clock& clock);
Result<std::optional<SnapshotReport::Request>> ask_snapshot(const Settings& settings, Files& files,
                                                            const Clock& clock,
                                                            std::string_view id);

// Requests one with http.token, of which only an instance of pg-capture gets to know. The id of
// the snapshot that was requested.
Result<std::string> request_snapshot(const Settings& settings, Files& files, const Clock& clock,
                                     const SnapshotRequest& request);
// `verb` as in the path: "pause".
Result<std::string> change_snapshot(const Settings& settings, Files& files, const Clock& clock,
                                    std::string_view id, std::string_view verb);

}  // namespace pgc
