// How a command says on standard error what is wrong, or worth knowing:
//   text         for people: "pg-capture: …"
//   result_json  with --output json: {"error":{…}}, a line
//   log_json     with JSON logs (-j, logging.format): a line as the log writes it, so that every
//                line there is JSON, the last one too
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "config/errors.h"

namespace pgc {

// What is asked for, as far as arguments and environment tell before either is understood.
Saying saying_of(std::span<const std::string> arguments, const Environment& environment);

// Tells an error; the code to end with.
ExitCode tell(World& world, const Error& error);
ExitCode tell(Invocation& invocation, const Error& error);

// Errors of the configuration or the command line, at least one.
ExitCode tell(World& world, const Errors& errors);

// A command line that can't be, in a sentence without a full stop.
ExitCode tell_usage(World& world, std::string what);

// What is no error.
void tell_note(World& world, std::string_view what);

}  // namespace pgc
