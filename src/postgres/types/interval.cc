#include "postgres/types/interval.h"

#include <charconv>
#include <cstdint>
#include <limits>

#include "base/ascii.h"
#include "base/byte_cursor.h"

namespace pgc::types {
namespace {

constexpr std::int64_t kOneSecond_us = 1'000'000;
constexpr std::int64_t kMinute_us = 60 * kOneSecond_us;
constexpr std::int64_t kHour_us = 60 * kMinute_us;

template <typename T>
bool add(T& sum, std::int64_t count, std::int64_t unit) noexcept {
    std::int64_t amount = 0;
    return !__builtin_mul_overflow(count, unit, &amount) &&
           !__builtin_add_overflow(sum, amount, &sum);
}

// "-12.345678": the whole part and, with the same sign, millionths.
struct Number {
    std::int64_t whole = 0;
    std::int64_t millionths = 0;
    bool fractional = false;
};

bool eat_number(std::string_view& text, Number& number) noexcept {
    const bool negative = text.starts_with('-');
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data(), end, number.whole);
    if (error != std::errc{}) {
        return false;
    }
    if (at != end && *at == '.') {
        number.fractional = true;
        ++at;
        std::int64_t scale = kOneSecond_us;
        for (; at != end && is_digit(*at) && scale > 1; ++at) {
            scale /= 10;
            number.millionths += (*at - '0') * scale;
        }
        if (negative) {
            number.millionths = -number.millionths;
        }
    }
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return true;
}

bool add_date_part(char unit, const Number& number, Interval& interval) noexcept {
    if (number.fractional) {
        return false;
    }
    switch (unit) {
        case 'Y': return add(interval.months, number.whole, 12);
        case 'M': return add(interval.months, number.whole, 1);
        case 'W': return add(interval.days, number.whole, 7);
        case 'D': return add(interval.days, number.whole, 1);
        default: return false;
    }
}

bool add_time_part(char unit, const Number& number, Interval& interval) noexcept {
    if (number.fractional && unit != 'S') {
        return false;
    }
    switch (unit) {
        case 'H': return add(interval.microseconds, number.whole, kHour_us);
        case 'M': return add(interval.microseconds, number.whole, kMinute_us);
        case 'S':
            return add(interval.microseconds, number.whole, kOneSecond_us) &&
                   add(interval.microseconds, number.millionths, 1);
        default: return false;
    }
}

template <typename T>
constexpr T kMost = std::numeric_limits<T>::max();
template <typename T>
constexpr T kLeast = std::numeric_limits<T>::min();

}  // namespace

bool read_interval_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.interval = {};
    if (bytes == "infinity") {
        out.interval = {kMost<std::int32_t>, kMost<std::int32_t>, kMost<std::int64_t>};
        return true;
    }
    if (bytes == "-infinity") {
        out.interval = {kLeast<std::int32_t>, kLeast<std::int32_t>, kLeast<std::int64_t>};
        return true;
    }
    if (!bytes.starts_with('P') || bytes.size() < 2) {
        return false;
    }
    bytes.remove_prefix(1);
    bool in_time = false;
    while (!bytes.empty()) {
        if (bytes.front() == 'T' && !in_time) {
            in_time = true;
            bytes.remove_prefix(1);
            continue;
        }
        Number number;
        if (!eat_number(bytes, number) || bytes.empty()) {
            return false;
        }
        if (!(in_time ? add_time_part(bytes.front(), number, out.interval)
                      : add_date_part(bytes.front(), number, out.interval))) {
            return false;
        }
        bytes.remove_prefix(1);
    }
    return true;
}

bool read_interval_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    ByteCursor in{bytes};
    out.interval.microseconds = in.read<std::int64_t>();
    out.interval.days = in.read<std::int32_t>();
    out.interval.months = in.read<std::int32_t>();
    return !in.overrun() && in.remaining() == 0;
}

}  // namespace pgc::types
