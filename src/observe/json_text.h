// JSON strings from any bytes: what is not UTF-8 becomes U+FFFD, so the result is
// always valid. For logs and small answers; rows have a faster writer of their own.
#pragma once

#include <string>
#include <string_view>

namespace pgc {

// How long the valid UTF-8 sequence at the front is: 1 to 4, or 0 if there is none.
std::size_t utf8_sequence_length(std::string_view bytes) noexcept;

// Appends `bytes` as a JSON string, quotes included.
void append_json_string(std::string& out, std::string_view bytes);

// Appends "name":"text"; the name as it is.
void append_json_field(std::string& out, std::string_view name, std::string_view text);

// Appends `head`, then `text` as a JSON string, or null where it is empty.
void append_json_or_null(std::string& out, std::string_view head, std::string_view text);

// Appends a JSON number; what JSON has no number for ("NaN", "Infinity") as a string.
void append_json_number(std::string& out, double value);

}  // namespace pgc
