// How the examples write one option: its value and the line about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/option.h"

namespace pgc {

enum class Language : std::uint8_t { yaml, toml, json };

// An option of the whole configuration, or a key of an object in a list.
enum class OptionPlace : std::uint8_t { configuration, object };

// The default, or the example of an option without one. Of a list of objects the empty list, or if
// it is required, one element with its required keys.
std::string example_value(const Option& option, OptionPlace place, Language language);

// "Required: database to follow"
std::string about_option(const Option& option);

// The setting under the name `key` and a comment above it, commented out if it may be left out.
std::string example_setting(const Option& option, OptionPlace place, std::string_view key,
                            std::string_view indent, Language language);

// An element on one line with its required keys. `variant` is null for a type without variants.
std::string example_object(const ObjectType& type, const ObjectVariant* variant, Language language);
// An element over several lines, every key with a comment: "- type: mask …"; in TOML below
// "[[path]]".
std::string example_element(const ObjectType& type, const ObjectVariant* variant,
                            std::string_view path, Language language);

}  // namespace pgc
