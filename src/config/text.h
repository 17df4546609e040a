// Texts as they may be shown: valid UTF-8, quoted, within JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgc {

// How many bytes from the front are whole, valid UTF-8 characters.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

// "…" for an error text: control characters escaped, long texts cut.
std::string in_quotes(std::string_view text);

// "…" in JSON; bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace pgc
