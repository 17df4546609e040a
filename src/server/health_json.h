// What GET /healthz says, written by the instance and read by `pg-capture status`: the two
// directions stand together so that they can't come apart. Every field:
// docs/reference/health.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "observe/status.h"

namespace pgc {

// {"pipeline":"shop","state":"streaming",…} and a line end.
std::string health_json(const StatusSnapshot& status);
// Of several: {"live":true,"ready":false,"pipelines":[{"pipeline":"shop",…},…]} and a line end.
std::string health_json(std::span<const StatusSnapshot> all);

// The other way. What is missing reads as nothing, so that an older instance can be asked;
// what can't be a health answer at all is an Error (protocol). The texts in it come from
// whoever answered: printable() before they go to a terminal.
Result<StatusSnapshot> read_health(std::string_view json);

}  // namespace pgc
