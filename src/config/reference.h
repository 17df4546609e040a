// Everything a person reads about the options, made from the tables.
#pragma once

#include <span>
#include <string>

#include "config/declarations.h"
#include "config/flags.h"

namespace pgc {

// For --help: the subcommand's flags, one line each.
std::string help_of_flags(std::span<const Flag> flags);
// For --help: every option with its short variable, default and one line.
std::string help_of_options(const Declarations& declarations);

// docs/reference page, Markdown.
std::string reference_markdown(const Declarations& declarations);

// Annotated files. Required options are filled in, secrets as ${env:…} of their own
// variable; all others stand with their default after a # that has no space after it.
std::string example_yaml(const Declarations& declarations);
std::string example_toml(const Declarations& declarations);
// .envrc.example
std::string example_environment(const Declarations& declarations);

// JSON schema (draft 2020-12) of the file; nothing is required in it, since the
// environment may give what the file lacks.
std::string json_schema(const Declarations& declarations);

}  // namespace pgc
