// Finds the subcommand, reads its flags, runs it; --help and --version.
#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/error_output.h"
#include "cli/program.h"
#include "config/nearest.h"
#include "config/reference.h"

namespace pgc {
namespace {

std::string overview() {
    std::string text =
        "pg-capture streams every committed change of a PostgreSQL database.\n\n"
        "  pg-capture [COMMAND] [FLAGS]     without a command: run\n\n";
    std::size_t widest = 0;
    for (const Command& command : commands()) {
        widest = std::max(widest, command.name.size() + command.arguments.size() + 1);
    }
    for (const Command& command : commands()) {
        const std::string head = command.arguments.empty()
                                     ? std::string(command.name)
                                     : fmt::format("{} {}", command.name, command.arguments);
        text += fmt::format("  {:<{}}  {}\n", head, widest, command.help);
    }
    return text +
           "\n  pg-capture COMMAND --help     what it takes; --help all: and every option\n"
           "  pg-capture --version\n";
}

std::string help(const Command& command, bool everything) {
    const std::string own = fmt::format("pg-capture {}{}{}\n\n  {}\n\nFlags:\n{}\n", command.name,
                                        command.arguments.empty() ? "" : " ", command.arguments,
                                        command.help, help_of_flags(command.flags));
    if (!everything) {
        return own + fmt::format(
                         "Every option of the configuration is a flag too, as "
                         "--postgres.host=db: pg-capture {} --help all\n",
                         command.name);
    }
    return own + "Options (also in the file and in the environment):\n" +
           help_of_options(declarations());
}

struct Found {
    const Command* command = nullptr;
    std::size_t words = 0;  // of the arguments, taken by its name
};

// The longest name that the leading words spell: "config show" before "config".
Found find(std::span<const std::string> arguments) {
    std::string name;
    Found found;
    for (std::size_t n = 0; n < 2 && n < arguments.size(); ++n) {
        if (arguments[n].starts_with('-')) break;
        name += (n == 0 ? "" : " ") + arguments[n];
        for (const Command& command : commands()) {
            if (command.name == name) found = {&command, n + 1};
        }
    }
    return found;
}

ExitCode unknown(std::string_view word, Deps& deps) {
    std::vector<std::string> names;
    for (const Command& command : commands()) names.emplace_back(command.name);
    const std::string close = nearest(word, names);
    return report_usage_error(
        deps, fmt::format("there is no command \"{}\"{}", word,
                          close.empty() ? std::string{"; see pg-capture --help"}
                                        : fmt::format("; did you mean {}?", close)));
}

// --help all, --help=all
bool asks_for_all(std::span<const std::string> arguments) {
    return std::ranges::find(arguments, "--help=all") != arguments.end() ||
           std::ranges::adjacent_find(arguments, [](const auto& one, const auto& next) {
               return (one == "--help" || one == "-h") && next == "all";
           }) != arguments.end();
}

bool asks(std::span<const std::string> arguments, std::string_view longer,
          std::string_view letter) {
    return std::ranges::any_of(arguments, [&](const std::string& argument) {
        return argument == longer || argument == letter;
    });
}

}  // namespace

namespace {

ExitCode run_command(std::span<const std::string> arguments, Deps& deps) {
    const Found found = find(arguments);
    const bool bare = arguments.empty() || arguments.front().starts_with('-');
    if (asks(arguments, "--version", "-V")) {
        deps.console.out("pg-capture " PGC_VERSION "\n");
        return ExitCode::done;
    }
    const bool everything = asks_for_all(arguments);
    if (everything || asks(arguments, "--help", "-h") || (!bare && arguments.front() == "help")) {
        const Found of = !bare && arguments.front() == "help" ? find(arguments.subspan(1)) : found;
        const Command* command = of.command;
        if (command == nullptr && everything) command = &commands().front();
        deps.console.out(command == nullptr ? overview() : help(*command, everything));
        return ExitCode::done;
    }
    if (found.command == nullptr && !bare) {
        const bool group = std::ranges::any_of(commands(), [&](const Command& command) {
            return command.name.starts_with(arguments.front() + " ");
        });
        const bool two = group && arguments.size() > 1 && !arguments[1].starts_with('-');
        return unknown(two ? arguments[0] + " " + arguments[1] : arguments[0], deps);
    }
    const Command& command = found.command != nullptr ? *found.command : commands().front();
    Invocation invocation{
        deps, parse_command_line(arguments.subspan(found.words), command.flags, declarations())};
    if (command.arguments.empty() && !invocation.line.arguments.empty()) {
        invocation.line.errors.add(
            {.where = "command line",
             .key = invocation.line.arguments.front(),
             .reason = fmt::format("{} takes no such argument", command.name)});
    }
    return command.run(invocation);
}

}  // namespace

ExitCode run_program(std::span<const std::string> arguments, Deps& deps) {
    deps.error_output = error_output_of(arguments, deps.environment);
    const ExitCode code = run_command(arguments, deps);
    const auto failed = deps.console.out_error();
    if (!failed) return code;
    // What was found out stays the answer.
    const ExitCode failure = report_error(deps, *failed);
    return code == ExitCode::done ? failure : code;
}

}  // namespace pgc
