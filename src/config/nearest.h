// The valid name somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pgc {

// The candidate the fewest typing errors away (a letter too much, missing, wrong, or
// two swapped), if few enough for the length; else nothing. Of a path like a.b.c the
// last part may be right and the rest wrong: "host" is near "postgres.host".
std::string nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace pgc
