#include "observe/json_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>

namespace pgc {
namespace {

// The lowest code point that needs a sequence of this length: anything below is overlong.
constexpr std::uint32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};

std::size_t length_by_lead(unsigned char lead) noexcept {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead < 0xE0) {
        return 2;
    }
    if (lead >= 0xE0 && lead < 0xF0) {
        return 3;
    }
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view bytes) noexcept {
    if (bytes.empty()) {
        return 0;
    }
    const auto lead = static_cast<unsigned char>(bytes[0]);
    const std::size_t length = length_by_lead(lead);
    if (length <= 1 || length > bytes.size()) {
        return length == 1 ? 1 : 0;
    }
    std::uint32_t code = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(bytes[i]);
        if ((next & 0xC0U) != 0x80U) {
            return 0;
        }
        code = code << 6 | (next & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return code < kLowest[length] || surrogate || code > 0x10FFFF ? 0 : length;
}

void append_json_string(std::string& out, std::string_view bytes) {
    out += '"';
    while (!bytes.empty()) {
        const std::size_t length = utf8_sequence_length(bytes);
        const char c = bytes[0];
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (c == '\n') {
            out += "\\n";
        } else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += bytes.substr(0, length);
        }
        bytes.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

void append_json_field(std::string& out, std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "\"{}\":", name);
    append_json_string(out, text);
}

void append_json_or_null(std::string& out, std::string_view head, std::string_view text) {
    out += head;
    text.empty() ? void(out += "null") : append_json_string(out, text);
}

void append_json_number(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "\"NaN\"";
    } else if (std::isinf(value)) {
        out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
        fmt::format_to(std::back_inserter(out), "{}", value);
    }
}

}  // namespace pgc
