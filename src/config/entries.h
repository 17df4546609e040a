// An option's entry before a value is given, and questions about entries.
#pragma once

#include <span>
#include <string_view>

#include "config/settings.h"

namespace pgc {

// With the default. A required option has none and gets a placeholder: nobody reads the settings
// when it is missing.
Settings::Entry unset(const Option& option);

// Of a text, a list, a map or a list of objects; a secret is never empty in this sense.
bool is_empty(const Settings::Value& value);

// Whether the choice was made that `condition`, "path=word", names.
bool applies(std::string_view condition, std::span<const Settings::Entry> entries);

}  // namespace pgc
