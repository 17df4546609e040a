// Rows of text in aligned columns, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgc {

// Cells must hold no line ends.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

// The text of a stranger, fit for a terminal: control characters, and what is not UTF-8,
// become question marks.
std::string printable(std::string_view text);

}  // namespace pgc
