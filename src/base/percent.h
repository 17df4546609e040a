// Percent encoding of what stands in a line of text of ours: stored positions and what is in them.
// Which bytes stand as they are is each format's own rule.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgc {

// Appends `text` with each byte that `plain` says no to as %XX (upper case). '%' must be one of
// those, or percent_decode() doesn't give the same text back.
template <typename Plain>
void percent_encode(std::string& out, std::string_view text, Plain plain) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (plain(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 0xFU];
    }
}

// Nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

// What may stand in a line between blanks: no control byte, no blank, no '%'.
constexpr bool is_plain_in_line(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F && c != '%';
}

}  // namespace pgc
