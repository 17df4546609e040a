// Puts a configuration together: flags over PG_CAPTURE_* over the short variables over
// the file over the customary variables (PGHOST) over the defaults.
//
//   - Every given value is checked, also one that a stronger source overrules. Only
//     the ${env:NAME} and ${file:PATH} references of overruled values are not followed.
//   - X_FILE names a file whose content, less one line end, is the value of X; for
//     every variable X. Both X and X_FILE is a contradiction.
//   - In files any other ${ is refused ($${ stands for ${). In variables and flags only
//     ${env: and ${file: mean anything, so that a password may hold ${.
//   - A quoted text with a reference in it is read like a variable: "${env:PORT}" is an
//     integer where an integer is wanted.
//   - Paths in values stay as they were given: relative to the process.
//   - A variable PG_CAPTURE_… that nobody declared and no reference names is an error.
//   - A list of objects is one value: JSON (or YAML) in a variable, a flag or the file that X_FILE
//     names. References are followed in its texts after parsing, so that what they bring can't end
//     a text; in such a file by the rules of the configuration file.
//
// Nothing throws. On failure all errors come at once: of the command line, the file (in
// its order), the environment, missing values, and the tables' checks.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/file.h"
#include "config/declarations.h"
#include "config/environment.h"
#include "config/errors.h"
#include "config/flags.h"
#include "config/settings.h"

namespace pgc {

struct Sources {
    std::string file;  // .yaml, .yml or .toml; empty for none
    Environment environment;
    CommandLine command_line;
    // False for those who don't need what is required only with some choice.
    bool conditional = true;
    // The path of a required option that need not be given this time.
    std::string_view not_needed{};
};

// Limits that no honest configuration meets.
struct ConfigLimits {
    static constexpr std::size_t file_bytes = std::size_t{1} << 20;
    static constexpr std::size_t value_bytes = std::size_t{64} << 10;
    static constexpr std::size_t depth = 32;
    static constexpr std::size_t nodes = 20'000;
    // What tables may declare: elements of one list, and lists of objects within one another.
    static constexpr std::size_t objects = 1'000;
    static constexpr std::size_t object_depth = 3;
};

std::expected<Settings, Errors> load(const Declarations& declarations, const Sources& sources,
                                     Files& files);

}  // namespace pgc
