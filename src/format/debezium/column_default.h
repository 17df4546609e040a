// What a column's DEFAULT is to Debezium: the value of a constant, and of what a function gives a
// value that stands for it (0, an empty text, 1970).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/value.h"

namespace pgc {

// As the server would print it; nothing for expressions and types of which Debezium knows none.
std::optional<std::string> default_text(const Type& type, std::string_view expression);

}  // namespace pgc
