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

// What is asked for, as far as arguments and environment say before either is understood.
ErrorOutput error_output_of(std::span<const std::string> arguments, const Environment& environment);

// Reports an error; the code to end with.
ExitCode report_error(Deps& deps, const Error& error);
ExitCode report_error(Invocation& invocation, const Error& error);

// Errors of the configuration or the command line, at least one.
ExitCode report_error(Deps& deps, const Errors& errors);

// A command line that can't be, in a sentence without a full stop.
ExitCode report_usage_error(Deps& deps, std::string what);

// What is no error.
void print_note(Deps& deps, std::string_view what);

}  // namespace pgc
