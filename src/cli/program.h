// What the program is made of, by name: every room's options in one declaration, and the
// settings as the commands take them.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "cli/command.h"
#include "config/declarations.h"
#include "config/loader.h"
#include "observe/log_options.h"

namespace pgc {

// All options of all rooms.
const Declarations& declarations();

// --config, --json-logs, --verbose, --output, --help, --version.
std::span<const Flag> common_flags();

struct Program {
    Settings settings;
    LogOptions logs;  // logging.* and PG_CAPTURE_LOG, which wins
};

// A command that only looks at the source does without what the sink must be given, one that does
// not even connect without the password.
enum class Needs : std::uint8_t { everything, source, names };

// The configuration of this invocation. All its errors are printed on the console (error_output.h)
// and cost exit code 2.
std::expected<Program, ExitCode> load_program(Invocation& invocation,
                                              Needs needs = Needs::everything);

// A variable with a connection URI, which is not read: it is mostly that of an application, whose
// role may not replicate. Empty if there is none.
std::string_view unread_uri(const Environment& environment);

}  // namespace pgc
