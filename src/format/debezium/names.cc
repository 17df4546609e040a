#include "format/debezium/names.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <vector>

#include "base/ascii.h"

namespace pgc {
namespace {

// The unit where it is ASCII; else NUL, which is neither a letter nor a digit.
constexpr char ascii(std::uint16_t unit) {
    return unit < 0x80 ? static_cast<char>(unit) : '\0';
}

// In units of UTF-16, by which Debezium counts. Of what is not UTF-8 each byte is one.
std::vector<std::uint16_t> utf16(std::string_view text) {
    std::vector<std::uint16_t> units;
    std::size_t at = 0;
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    while (at < text.size()) {
        const std::uint32_t first = byte(at);
        const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        std::uint32_t code = size == 1 ? first : first & (0xFFU >> (size + 1));
        for (std::size_t i = 1; i < size; ++i) code = code << 6 | (byte(at + i) & 0x3F);
        if (code >= 0x10000) {
            units.push_back(static_cast<std::uint16_t>(0xD800 + ((code - 0x10000) >> 10 & 0x3FF)));
            units.push_back(static_cast<std::uint16_t>(0xDC00 + (code & 0x3FF)));
        } else {
            units.push_back(static_cast<std::uint16_t>(code));
        }
        at += size;
    }
    return units;
}

void replace(std::string& out, std::uint16_t unit, bool unicode) {
    if (!unicode) {
        out += '_';
    } else if (unit <= 0xFF) {
        fmt::format_to(std::back_inserter(out), "_u00{:x}", unit);
    } else {
        fmt::format_to(std::back_inserter(out), "_u{:x}", unit);
    }
}

std::string adjusted(std::string_view name, NameAdjustment adjustment, bool dots) {
    if (adjustment == NameAdjustment::none) return std::string{name};
    const bool unicode = adjustment == NameAdjustment::avro_unicode;
    std::string out;
    bool first = true;
    for (const std::uint16_t unit : utf16(name)) {
        // With unicode an underscore is the mark of what was replaced, so it is replaced itself.
        const bool starts = is_letter(ascii(unit)) || (unit == '_' && !unicode);
        if (starts || (!first && (is_digit(ascii(unit)) || (unit == '.' && dots)))) {
            out += static_cast<char>(unit);
        } else {
            replace(out, unit, unicode);
            if (first && !unicode && is_digit(ascii(unit))) out += static_cast<char>(unit);
        }
        first = false;
    }
    return out;
}

}  // namespace

std::string adjusted_field_name(std::string_view name, NameAdjustment adjustment) {
    return adjusted(name, adjustment, false);
}

std::string adjusted_schema_name(std::string_view name, NameAdjustment adjustment) {
    return adjusted(name, adjustment, true);
}

}  // namespace pgc
