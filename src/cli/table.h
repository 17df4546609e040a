// Rows of text in aligned columns, for people.
#pragma once

#include <string>
#include <vector>

namespace pgc {

// The first row is the heading. Cells must hold no line ends.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace pgc
