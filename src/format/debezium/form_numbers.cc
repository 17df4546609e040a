#include "format/debezium/form_numbers.h"

#include <cstddef>
#include <limits>

#include "format/json/calendar.h"

namespace pgc {
namespace {

constexpr std::int64_t kMicrosTo2000 = kDaysTo2000 * kMicrosOfDay;
constexpr std::int64_t kInfiniteDays = 2'147'483'647;
// What the PostgreSQL driver of Java makes of an infinity are milliseconds; finer units have no
// room for as many, and Debezium takes the limits of 64 bits.
constexpr std::int64_t kInfiniteMillis = 9'223'372'036'825'200'000;
constexpr std::int64_t kMinusInfiniteMillis = -9'223'372'036'832'400'000;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) noexcept {
    return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

bool epoch_days(const Value& date, std::int64_t& out) noexcept {
    if (date.integer == kInfinity) {
        out = kInfiniteDays;
    } else if (date.integer == -kInfinity) {
        out = -kInfiniteDays;
    } else if (__builtin_add_overflow(date.integer, kDaysTo2000, &out)) {
        return false;
    }
    return out >= std::numeric_limits<std::int32_t>::min() &&
           out <= std::numeric_limits<std::int32_t>::max();
}

bool epoch_millis(const Value& timestamp, std::int64_t& out) noexcept {
    if (timestamp.integer == kInfinity) {
        out = kInfiniteMillis;
    } else if (timestamp.integer == -kInfinity) {
        out = kMinusInfiniteMillis;
    } else {
        out = floor_divide(timestamp.integer, 1000) + kMicrosTo2000 / 1000;
    }
    return true;
}

bool epoch_micros(const Value& timestamp, std::int64_t& out) noexcept {
    if (timestamp.integer == kInfinity) {
        out = kMost;
        return true;
    }
    if (timestamp.integer == -kInfinity) {
        out = kLeast;
        return true;
    }
    return !__builtin_add_overflow(timestamp.integer, kMicrosTo2000, &out);
}

bool epoch_nanos(const Value& timestamp, std::int64_t& out) noexcept {
    if (timestamp.integer == kInfinity) {
        out = kMost;
        return true;
    }
    if (timestamp.integer == -kInfinity) {
        out = kLeast;
        return true;
    }
    std::int64_t micros = 0;
    return epoch_micros(timestamp, micros) && !__builtin_mul_overflow(micros, 1000, &out);
}

// In the order in which Debezium adds it up, in floating point, so that the same comes out.
std::int64_t interval_micros(const Interval& interval) noexcept {
    constexpr double days_of_month = 365.25 / 12.0;
    const std::int64_t micros = interval.microseconds;
    const auto hours = static_cast<double>(micros / (3600 * kMicrosOfSecond));
    const auto minutes =
        static_cast<double>(micros % (3600 * kMicrosOfSecond) / (60 * kMicrosOfSecond));
    const std::int64_t rest = micros % (60 * kMicrosOfSecond);
    const double seconds = static_cast<double>(rest / kMicrosOfSecond) +
                           static_cast<double>(rest % kMicrosOfSecond) / 1e6;
    const double days = interval.months * days_of_month + interval.days;
    const double all = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    const double scaled = all * 1e6;
    constexpr double limit = 9.2233720368547748e18;
    if (scaled >= limit) return std::numeric_limits<std::int64_t>::max();
    if (scaled <= -limit) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(scaled);
}

bool is_infinite(const Interval& interval) noexcept {
    const auto all = [&](std::int32_t part, std::int64_t whole) {
        return interval.months == part && interval.days == part && interval.microseconds == whole;
    };
    return all(std::numeric_limits<std::int32_t>::max(),
               std::numeric_limits<std::int64_t>::max()) ||
           all(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int64_t>::min());
}

void bits_to_bytes(std::string_view bits, std::string& out) {
    out.clear();
    const std::size_t highest = bits.find('1');
    if (highest == std::string_view::npos) return;
    const std::size_t count = bits.size() - highest;
    out.assign((count + 7) / 8, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        if (bits[bits.size() - 1 - i] == '1') {
            out[i / 8] = static_cast<char>(static_cast<unsigned char>(out[i / 8]) | 1U << (i % 8));
        }
    }
}

void to_hexadecimal(std::string_view bytes, std::string& out) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.clear();
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

}  // namespace pgc
