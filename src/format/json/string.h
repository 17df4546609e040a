// JSON strings out of any bytes: what is valid UTF-8 is escaped, what is not is reported.
#pragma once

#include <cstddef>
#include <string_view>

#include "format/json/writer.h"

namespace pgc {

// Appends `text` escaped, without the quotes around it. False when it is not valid
// UTF-8 (RFC 3629: no overlong forms, no surrogates); `out` is then as it was.
[[nodiscard]] bool append_escaped(Writer& out, std::string_view text);

// The same, but each maximal part that is not UTF-8 becomes U+FFFD.
void append_escaped_replacing(Writer& out, std::string_view text);

// The same without escapes.
void append_replacing(Writer& out, std::string_view text);

// Base64 of RFC 4648 with padding, without quotes.
void append_base64(Writer& out, std::string_view bytes);

// Length of the valid multi-byte UTF-8 sequence at `at` (its first byte is not ASCII),
// or 0 when there is none before `end`.
std::size_t utf8_sequence(const char* at, const char* end) noexcept;

bool is_utf8(std::string_view text) noexcept;

// The first byte at or after `at` that a JSON string can't hold as it is or that is not
// ASCII: below 0x20, '"', '\\', 0x80 and above; or `end`.
const char* find_special(const char* at, const char* end) noexcept;

}  // namespace pgc
