// The command line: flags of a subcommand, a flag for every option, and what is left.
//
//   --postgres.host=db   --postgres.host db   --with-key   -c shop.yaml   -cshop.yaml
//
// Switches and boolean options stand alone or take =true or =false; every other flag
// takes the next argument when it has no "=". "--" ends the flags. Secrets are refused,
// because everybody on the machine can read a command line.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/declarations.h"
#include "config/errors.h"

namespace pgc {

// A flag that is not an option, declared by the subcommand.
struct Flag {
    std::string_view name{};  // "json-logs"
    char letter = 0;          // 'j'
    // What it takes, for help ("FILE"); empty for a switch.
    std::string_view value_name{};
    std::string_view words{};  // "text|json"; empty for any value
    std::string_view help{};
    // Instead of being asked for by name it may set an option: -j is logging.format=json.
    std::string_view sets_path{};
    std::string_view sets_value{};
};

// An option given on the command line.
struct FlagValue {
    std::string path;
    std::string text;
    std::string spelled;  // "--postgres.host", "-j"
};

struct CommandLine {
    std::vector<FlagValue> options;
    std::map<std::string, std::string, std::less<>> flags;  // a switch's value is "true"
    std::vector<std::string> arguments;
    Errors errors;

    bool has(std::string_view flag) const { return flags.contains(flag); }
    // Empty if not given.
    std::string value(std::string_view flag) const {
        const auto found = flags.find(flag);
        return found == flags.end() ? std::string{} : found->second;
    }
};

// `arguments` without the program's name. Never fails: errors are in the result, to
// be reported together with those of load().
CommandLine parse_command_line(std::span<const std::string> arguments, std::span<const Flag> flags,
                               const Declarations& declarations);

// Mistakes in a table of flags, for a test of the program; empty is good.
std::vector<std::string> faults(std::span<const Flag> flags, const Declarations& declarations);

}  // namespace pgc
