// Rows of text in aligned columns, for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

// Cells must hold no line ends.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

// How many characters a text is wide.
std::size_t width_of(std::string_view text) noexcept;

// The text of a stranger, fit for a terminal: control characters, and what is not UTF-8,
// become question marks.
std::string printable(std::string_view text);

}  // namespace pgc
