// A running instance, asked from another process: GET /healthz, where http.listen says.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "config/settings.h"
#include "observe/status.h"

namespace pgc {

// It answers from memory: who needs longer is not answering.
inline constexpr Duration kInstanceAnswer_max = std::chrono::seconds{3};

// What it says of itself. Category configuration: http.listen is empty, there is nobody to
// ask. Every other Error: no instance of pg-capture answers there; its mend says what to do.
Result<StatusSnapshot> ask_instance(const Settings& settings, const Clock& clock);

}  // namespace pgc
