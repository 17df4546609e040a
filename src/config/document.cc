#include "config/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "config/loader.h"
#include "config/text.h"

namespace pgc {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Place place_of(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const auto line_start = before.rfind('\n');
    const std::size_t column = line_start == std::string_view::npos ? at : at - line_start - 1;
    return {lines + 1, column + 1};
}

std::unexpected<SyntaxError> refuse(Place place, std::string reason) {
    return std::unexpected(SyntaxError{place, std::move(reason)});
}

// What neither language may hold.
std::optional<SyntaxError> unreadable(std::string_view text) {
    if (const std::size_t valid = valid_utf8_prefix(text); valid < text.size()) {
        return SyntaxError{place_of(text, valid), "not UTF-8 text"};
    }
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        return SyntaxError{place_of(text, zero), "a zero byte"};
    }
    return std::nullopt;
}

// A UTF-16 code unit as JSON escapes it, \uXXXX, at the front; nothing if there is none.
std::optional<std::uint32_t> escaped_unit(std::string_view text) {
    if (text.size() < 6 || !text.starts_with("\\u")) {
        return std::nullopt;
    }
    std::uint32_t unit = 0;
    const char* const end = text.data() + 6;
    return std::from_chars(end - 4, end, unit, 16).ptr == end ? std::optional(unit) : std::nullopt;
}

// In UTF-8: a character beyond U+FFFF has four bytes.
std::string four_bytes(std::uint32_t character) {
    return {static_cast<char>(0xF0U | (character >> 18)),
            static_cast<char>(0x80U | ((character >> 12) & 0x3FU)),
            static_cast<char>(0x80U | ((character >> 6) & 0x3FU)),
            static_cast<char>(0x80U | (character & 0x3FU))};
}

// JSON writes a character beyond U+FFFF as two escaped units, which YAML doesn't know.
std::string without_surrogates(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto high = escaped_unit(text);
        const auto low = high ? escaped_unit(text.substr(6)) : std::nullopt;
        if (high && low && (*high & 0xFC00U) == 0xD800U && (*low & 0xFC00U) == 0xDC00U) {
            out += four_bytes(0x10000U + ((*high & 0x3FFU) << 10) + (*low & 0x3FFU));
            text.remove_prefix(12);
            continue;
        }
        const std::size_t whole = text.starts_with("\\\\") ? 2 : 1;  // \\u is no escape
        out += text.substr(0, whole);
        text.remove_prefix(whole);
    }
    return out;
}

}  // namespace

Parsed parse_value(std::string_view text) {
    if (auto error = unreadable(text)) {
        return std::unexpected(std::move(*error));
    }
    return parse_yaml_value(without_surrogates(text));
}

Parsed parse_document(std::string_view name, std::string_view text) {
    const bool toml = name.ends_with(".toml");
    if (!toml && !name.ends_with(".yaml") && !name.ends_with(".yml")) {
        return refuse({}, "the name must end in .yaml, .yml or .toml");
    }
    if (text.size() > ConfigLimits::file_bytes) {
        return refuse({}, fmt::format("larger than {} bytes", ConfigLimits::file_bytes));
    }
    if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    if (auto error = unreadable(text)) {
        return std::unexpected(std::move(*error));
    }
    return toml ? parse_toml(text) : parse_yaml(text);
}

}  // namespace pgc
