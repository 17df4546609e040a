#include "config/document.h"

#include <fmt/core.h>

#include <algorithm>

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

}  // namespace

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
    if (const std::size_t valid = valid_utf8_prefix(text); valid < text.size()) {
        return refuse(place_of(text, valid), "not UTF-8 text");
    }
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        return refuse(place_of(text, zero), "a zero byte");
    }
    return toml ? parse_toml(text) : parse_yaml(text);
}

}  // namespace pgc
