// What pg-capture snapshot and pg-capture reload begin with: the request, as the command line has
// it, is given to the running instance.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/program.h"
#include "core/snapshot.h"

namespace pgc {

struct NewSnapshot {
    Program program;
    std::string id;  // as the instance calls it
};

// `reload` makes it one. What went wrong is reported; the code to end with.
std::expected<NewSnapshot, ExitCode> request_new_snapshot(
    Invocation& invocation, std::optional<ReloadOrder> reload = std::nullopt);

}  // namespace pgc
