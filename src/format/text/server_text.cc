#include "format/text/server_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "format/json/calendar.h"

namespace pgc {
namespace {

constexpr std::int64_t kMinute = 60 * kMicrosOfSecond;
constexpr std::int64_t kHour = 60 * kMinute;

template <auto write>
bool append_time(std::string& out, const Value& value) {
    std::array<char, kMaxTimeText> text;
    char* const end = write(text.data(), value);
    if (end == nullptr) return false;
    out.append(text.data(), end);
    return true;
}

char* date_of(char* to, const Value& value) noexcept {
    return write_date(to, value.integer);
}
char* time_of(char* to, const Value& value) noexcept {
    return write_time(to, value.integer);
}

bool append_timestamp(std::string& out, const Value& value, bool zone) {
    std::array<char, kMaxServerTimeText> text;
    char* const end = write_server_timestamp(text.data(), value.integer, zone);
    if (end == nullptr) return false;
    out.append(text.data(), end);
    return true;
}

bool append_zone(std::string& out, std::int32_t seconds) {
    constexpr std::int32_t kFurthest = 24 * 3600;
    if (seconds < -kFurthest || seconds > kFurthest) return false;
    out += seconds < 0 ? '-' : '+';
    const auto magnitude = static_cast<std::uint32_t>(std::abs(seconds));
    std::array<char, 8> text;
    char* end = write_two_digits(text.data(), magnitude / 3600);
    if (magnitude % 3600 != 0) {
        *end++ = ':';
        end = write_two_digits(end, magnitude / 60 % 60);
    }
    if (magnitude % 60 != 0) {
        *end++ = ':';
        end = write_two_digits(end, magnitude % 60);
    }
    out.append(text.data(), end);
    return true;
}

// "1 year 2 mons -3 days +04:05:06.78": a sign that differs from that of the part before is
// written.
class IntervalText {
public:
    explicit IntervalText(std::string& out) : out_(out) {}

    void append(const Interval& interval) {
        part(interval.months / 12, "year");
        part(interval.months % 12, "mon");
        part(interval.days, "day");
        if (interval.microseconds != 0 || first_) clock(interval.microseconds);
    }

private:
    void part(std::int64_t value, std::string_view unit) {
        if (value == 0) return;
        if (!first_) out_ += ' ';
        if (negative_before_ && value > 0) out_ += '+';
        out_ += std::to_string(value);
        out_ += ' ';
        out_ += unit;
        if (value != 1) out_ += 's';
        negative_before_ = value < 0;
        first_ = false;
    }
    void clock(std::int64_t micros) {
        if (!first_) out_ += ' ';
        if (micros < 0) {
            out_ += '-';
        } else if (negative_before_) {
            out_ += '+';
        }
        const auto magnitude = micros < 0 ? 0 - static_cast<std::uint64_t>(micros)
                                          : static_cast<std::uint64_t>(micros);
        const std::uint64_t hours = magnitude / static_cast<std::uint64_t>(kHour);
        if (hours < 10) out_ += '0';
        out_ += std::to_string(hours);
        std::array<char, kMaxTimeText> rest;
        char* const end = write_time(
            rest.data(), static_cast<std::int64_t>(magnitude % static_cast<std::uint64_t>(kHour)));
        out_.append(rest.data() + 2, end);  // without its hours
    }

    std::string& out_;
    bool first_ = true;
    bool negative_before_ = false;
};

bool append_interval(std::string& out, const Interval& interval) {
    std::array<char, kMaxTimeText> text;
    const char* const end = write_interval(text.data(), interval);
    const std::string_view iso{text.data(), static_cast<std::size_t>(end - text.data())};
    if (iso.ends_with("infinity")) {
        out += iso;
    } else {
        IntervalText{out}.append(interval);
    }
    return true;
}

template <typename Real>
void append_real(std::string& out, Real value) {
    std::array<char, kMaxRealText> text;
    out.append(text.data(), write_server_real(text.data(), value));
}

void append_bytes(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\x";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

// Puts what was appended from `start` on in quotes, with `escape` before what would end them.
void quote(std::string& out, std::size_t start, bool doubled) {
    const auto ends_it = [](char c) { return c == '"' || c == '\\'; };
    std::size_t from = out.size();
    const auto escapes =
        std::count_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), ends_it);
    std::size_t to = from + static_cast<std::size_t>(escapes) + 2;
    out.resize(to);
    out[--to] = '"';
    while (from > start) {
        const char c = out[--from];
        out[--to] = c;
        if (ends_it(c)) out[--to] = doubled ? c : '\\';
    }
    out[start] = '"';
}

bool appears_in(std::string_view text, std::string_view characters) {
    return text.empty() || text.find_first_of(characters) != std::string_view::npos;
}
constexpr std::string_view kSpace = " \t\n\v\f\r";

bool is_null_word(std::string_view text) {
    return text.size() == 4 && (text[0] | 32) == 'n' && (text[1] | 32) == 'u' &&
           (text[2] | 32) == 'l' && (text[3] | 32) == 'l';
}

bool append_element(std::string& out, const Type& type, const Value& value) {
    if (value.is_null) {
        out += "NULL";
        return true;
    }
    const std::size_t start = out.size();
    if (!append_server_text(out, type, value)) return false;
    const std::string_view text = std::string_view{out}.substr(start);
    if (appears_in(text, "{}\"\\") || text.find(type.delimiter) != std::string_view::npos ||
        text.find_first_of(kSpace) != std::string_view::npos || is_null_word(text)) {
        quote(out, start, false);
    }
    return true;
}

bool append_dimension(std::string& out, const Type& element, std::span<const Dimension> dimensions,
                      std::span<const Value>& values) {
    out += '{';
    for (std::int32_t i = 0; i < dimensions.front().length; ++i) {
        if (i > 0) out += element.delimiter;
        if (dimensions.size() > 1) {
            if (!append_dimension(out, element, dimensions.subspan(1), values)) return false;
            continue;
        }
        if (values.empty() || !append_element(out, element, values.front())) return false;
        values = values.subspan(1);
    }
    out += '}';
    return true;
}

// Whether the dimensions account for exactly `count` elements.
bool dimensions_fit(std::span<const Dimension> dimensions, std::size_t count) noexcept {
    std::size_t product = 1;
    for (const Dimension& dimension : dimensions) {
        if (dimension.length <= 0 || product > count) return false;
        product *= static_cast<std::size_t>(dimension.length);
    }
    return product == count;
}

bool append_array(std::string& out, const Type& type, const Value& value) {
    if (value.list.empty() || value.dimensions.empty()) {
        out += "{}";
        return true;
    }
    if (!dimensions_fit(value.dimensions, value.list.size())) return false;
    bool own_bounds = false;
    for (const Dimension& dimension : value.dimensions) own_bounds |= dimension.lower != 1;
    if (own_bounds) {
        for (const Dimension& dimension : value.dimensions) {
            out += '[' + std::to_string(dimension.lower) + ':' +
                   std::to_string(std::int64_t{dimension.lower} + dimension.length - 1) + ']';
        }
        out += '=';
    }
    std::span<const Value> values = value.list;
    return append_dimension(out, *type.element, value.dimensions, values);
}

bool append_composite(std::string& out, const Type& type, const Value& value) {
    if (value.list.size() != type.fields.size()) return false;
    out += '(';
    for (std::size_t i = 0; i < value.list.size(); ++i) {
        if (i > 0) out += ',';
        if (value.list[i].is_null) continue;
        const std::size_t start = out.size();
        if (!append_server_text(out, *type.fields[i].type, value.list[i])) return false;
        const std::string_view text = std::string_view{out}.substr(start);
        if (appears_in(text, "\"\\(),") || text.find_first_of(kSpace) != std::string_view::npos) {
            quote(out, start, true);
        }
    }
    out += ')';
    return true;
}

bool append_bound(std::string& out, const Type& type, const Value& bound) {
    if (bound.is_null) return true;
    const std::size_t start = out.size();
    if (!append_server_text(out, type, bound)) return false;
    const std::string_view text = std::string_view{out}.substr(start);
    if (appears_in(text, "\"\\()[],") || text.find_first_of(kSpace) != std::string_view::npos) {
        quote(out, start, true);
    }
    return true;
}

bool append_range(std::string& out, const Type& type, const Value& value) {
    if (value.range_flags.empty) {
        out += "empty";
        return true;
    }
    if (value.list.size() != 2) return false;
    out += value.range_flags.lower_inclusive ? '[' : '(';
    if (!append_bound(out, *type.element, value.list[0])) return false;
    out += ',';
    if (!append_bound(out, *type.element, value.list[1])) return false;
    out += value.range_flags.upper_inclusive ? ']' : ')';
    return true;
}

bool append_multirange(std::string& out, const Type& type, const Value& value) {
    out += '{';
    for (std::size_t i = 0; i < value.list.size(); ++i) {
        if (i > 0) out += ',';
        if (!append_range(out, *type.element, value.list[i])) return false;
    }
    out += '}';
    return true;
}

bool append_map(std::string& out, const Value& value) {
    if (value.list.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < value.list.size(); i += 2) {
        if (i > 0) out += ", ";
        std::size_t start = out.size();
        out += value.list[i].text;
        quote(out, start, false);
        out += "=>";
        if (value.list[i + 1].is_null) {
            out += "NULL";
            continue;
        }
        start = out.size();
        out += value.list[i + 1].text;
        quote(out, start, false);
    }
    return true;
}

}  // namespace

// With a space where ISO has a T.
char* write_server_timestamp(char* to, std::int64_t microseconds, bool zone) noexcept {
    char* const end = write_timestamp(to, microseconds);
    if (end == nullptr) return nullptr;
    const auto size = static_cast<std::size_t>(end - to);
    auto* const separator = static_cast<char*>(std::memchr(to, 'T', size));
    if (separator == nullptr) return end;  // an infinity
    *separator = ' ';
    if (!zone) return end;
    constexpr std::string_view utc = "+00";
    const bool before_christ = std::string_view{to, size}.ends_with(" BC");
    char* const at = before_christ ? end - 3 : end;
    std::memmove(at + utc.size(), at, static_cast<std::size_t>(end - at));
    std::memcpy(at, utc.data(), utc.size());
    return end + utc.size();
}

// Without an exponent as long as the digits are not too many, as the server decides it.
template <typename Real>
char* write_server_real(char* to, Real value) noexcept {
    if (!std::isfinite(value)) {
        const std::string_view word = std::isnan(value) ? "NaN"
                                      : value > 0       ? "Infinity"
                                                        : "-Infinity";
        return std::copy(word.begin(), word.end(), to);
    }
    constexpr Real kLarge = sizeof(Real) == sizeof(float) ? Real(1e6) : Real(1e15);
    const Real magnitude = std::abs(value);
    const bool fixed = value == 0 || (magnitude >= Real(1e-4) && magnitude < kLarge);
    return std::to_chars(to, to + kMaxRealText, value,
                         fixed ? std::chars_format::fixed : std::chars_format::scientific)
        .ptr;
}
template char* write_server_real(char* to, float value) noexcept;
template char* write_server_real(char* to, double value) noexcept;

bool append_server_text(std::string& out, const Type& type, const Value& value) {
    const bool has_parts =
        type.kind == Kind::array || type.kind == Kind::range || type.kind == Kind::multirange;
    if (has_parts && type.element == nullptr) return false;
    switch (type.kind) {
        case Kind::boolean: out += value.integer != 0 ? 't' : 'f'; return true;
        case Kind::integer: out += std::to_string(value.integer); return true;
        case Kind::real32: append_real(out, static_cast<float>(value.real)); return true;
        case Kind::real64: append_real(out, value.real); return true;
        case Kind::decimal:
        case Kind::text:
        case Kind::enumeration:
        case Kind::json:
        case Kind::uuid:
        case Kind::bits: out += value.text; return true;
        case Kind::bytes: append_bytes(out, value.text); return true;
        case Kind::date: return append_time<date_of>(out, value);
        case Kind::time: return append_time<time_of>(out, value);
        case Kind::time_tz:
            return append_time<time_of>(out, value) && append_zone(out, value.zone_seconds);
        case Kind::timestamp: return append_timestamp(out, value, false);
        case Kind::timestamp_tz: return append_timestamp(out, value, true);
        case Kind::interval: return append_interval(out, value.interval);
        case Kind::array: return append_array(out, type, value);
        case Kind::composite: return append_composite(out, type, value);
        case Kind::range: return append_range(out, type, value);
        case Kind::multirange: return append_multirange(out, type, value);
        case Kind::map: return append_map(out, value);
    }
    return false;
}

}  // namespace pgc
