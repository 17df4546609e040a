// A subcommand: what it is called, what it takes, what it does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/words.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "config/environment.h"
#include "config/flags.h"

namespace pgc {

// How errors are reported (error_output.h).
enum class ErrorOutput : std::uint8_t { text, result_json, log_json };

// The world as a command meets it; nothing else is asked for.
struct Deps {
    Console& console;
    Files& files;
    const Clock& clock;
    Environment environment;
    ErrorOutput error_output = ErrorOutput::text;
};

// What --output says: results as JSON?
inline constexpr auto kOutputs = words_for<bool>({{"text", false}, {"json", true}});

struct Invocation {
    Deps& deps;
    CommandLine line;

    bool json() const { return kOutputs.find(line.value("output")).value_or(false); }
};

struct Command {
    std::string_view name;       // "config validate": two words for a command of a group
    std::string_view arguments;  // for help: "SLOT"; empty for none
    std::string_view help;       // one line
    std::span<const Flag> flags;
    ExitCode (*run)(Invocation&);
};

// All of them, in the order of --help. The first is what runs without a word.
std::span<const Command> commands();

// `arguments` without the program's name. Does what main() does, but for the process.
ExitCode run_program(std::span<const std::string> arguments, Deps& deps);

}  // namespace pgc
