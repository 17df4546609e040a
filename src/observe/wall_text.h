// A WallTime as people and programs read it: "2026-11-21T02:57:05.123Z".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pgc {

void append_wall_time(std::string& out, WallTime at);
// The same text back; nothing for any other.
std::optional<WallTime> parse_wall_time(std::string_view text);

// "Sat, 21 Nov 2026 02:57:05 GMT", as HTTP writes it.
std::string http_date(WallTime at);

}  // namespace pgc
