#include "format/json/time_text.h"

#include <cstring>
#include <limits>
#include <string_view>

#include "format/json/calendar.h"
#include "format/json/number.h"

namespace pgc {
namespace {

constexpr std::int64_t kSecond = 1'000'000;  // in microseconds, as the next ones
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

char* put(char* to, std::string_view text) noexcept {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
}

// Without the " BC".
char* write_civil(char* to, const CivilDate& date) noexcept {
    const auto year = static_cast<std::uint64_t>(date.year > 0 ? date.year : 1 - date.year);
    if (year < 10'000) {
        to = write_two_digits(to, year / 100);
        to = write_two_digits(to, year % 100);
    } else {
        to = write_unsigned(to, year);
    }
    *to++ = '-';
    to = write_two_digits(to, date.month);
    *to++ = '-';
    return write_two_digits(to, date.day);
}

// ".25" out of 250,000; nothing out of 0.
char* write_fraction(char* to, std::uint64_t microseconds) noexcept {
    if (microseconds == 0) {
        return to;
    }
    *to++ = '.';
    to = write_two_digits(to, microseconds / 10'000);
    to = write_two_digits(to, microseconds / 100 % 100);
    to = write_two_digits(to, microseconds % 100);
    while (to[-1] == '0') {
        --to;
    }
    return to;
}

// Requires: 0 <= microseconds <= kDay.
char* write_clock(char* to, std::int64_t microseconds) noexcept {
    const auto seconds = static_cast<std::uint64_t>(microseconds / kSecond);
    to = write_two_digits(to, seconds / 3600);
    *to++ = ':';
    to = write_two_digits(to, seconds / 60 % 60);
    *to++ = ':';
    to = write_two_digits(to, seconds % 60);
    return write_fraction(to, static_cast<std::uint64_t>(microseconds % kSecond));
}

char* write_moment(char* to, std::int64_t microseconds, bool zone) noexcept {
    if (microseconds == kInfinity) {
        return put(to, "infinity");
    }
    if (microseconds == -kInfinity) {
        return put(to, "-infinity");
    }
    const auto [days, in_day] = day_and_time(microseconds);
    const CivilDate date = civil_date(days);
    to = write_civil(to, date);
    *to++ = 'T';
    to = write_clock(to, in_day);
    if (zone) {
        *to++ = 'Z';
    }
    return date.year > 0 ? to : put(to, " BC");
}

// Seconds with sign and fraction.
char* write_signed_seconds(char* to, std::int64_t microseconds) noexcept {
    auto magnitude = static_cast<std::uint64_t>(microseconds);
    if (microseconds < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    }
    to = write_unsigned(to, magnitude / kSecond);
    return write_fraction(to, magnitude % kSecond);
}

char* write_part(char* to, std::int64_t value, char unit) noexcept {
    if (value != 0) {
        to = write_integer(to, value);
        *to++ = unit;
    }
    return to;
}

template <typename T>
constexpr bool at_limit(const Interval& interval) noexcept {
    return interval.months == T::limit32 && interval.days == T::limit32 &&
           interval.microseconds == T::limit64;
}
struct Largest {
    static constexpr auto limit32 = std::numeric_limits<std::int32_t>::max();
    static constexpr auto limit64 = std::numeric_limits<std::int64_t>::max();
};
struct Smallest {
    static constexpr auto limit32 = std::numeric_limits<std::int32_t>::min();
    static constexpr auto limit64 = std::numeric_limits<std::int64_t>::min();
};

}  // namespace

char* write_date(char* to, std::int64_t days) noexcept {
    if (days == kInfinity) {
        return put(to, "infinity");
    }
    if (days == -kInfinity) {
        return put(to, "-infinity");
    }
    if (days != static_cast<std::int32_t>(days)) {
        return nullptr;
    }
    const CivilDate date = civil_date(days);
    to = write_civil(to, date);
    return date.year > 0 ? to : put(to, " BC");
}

char* write_timestamp(char* to, std::int64_t microseconds) noexcept {
    return write_moment(to, microseconds, false);
}

char* write_timestamp_tz(char* to, std::int64_t microseconds) noexcept {
    return write_moment(to, microseconds, true);
}

char* write_time(char* to, std::int64_t microseconds) noexcept {
    return microseconds < 0 || microseconds > kDay ? nullptr : write_clock(to, microseconds);
}

char* write_time_tz(char* to, std::int64_t microseconds, std::int32_t zone_seconds) noexcept {
    constexpr std::int32_t zone_max = 100 * 3600 - 1;  // two digits of hours
    to = write_time(to, microseconds);
    if (to == nullptr || zone_seconds > zone_max || zone_seconds < -zone_max) {
        return nullptr;
    }
    if (zone_seconds == 0) {
        *to++ = 'Z';
        return to;
    }
    *to++ = zone_seconds < 0 ? '-' : '+';
    const auto zone = static_cast<std::uint64_t>(zone_seconds < 0 ? -zone_seconds : zone_seconds);
    to = write_two_digits(to, zone / 3600);
    *to++ = ':';
    to = write_two_digits(to, zone / 60 % 60);
    if (zone % 60 != 0) {
        *to++ = ':';
        to = write_two_digits(to, zone % 60);
    }
    return to;
}

char* write_interval(char* to, const Interval& interval) noexcept {
    if (at_limit<Largest>(interval)) {
        return put(to, "infinity");
    }
    if (at_limit<Smallest>(interval)) {
        return put(to, "-infinity");
    }
    if (interval.months == 0 && interval.days == 0 && interval.microseconds == 0) {
        return put(to, "PT0S");
    }
    *to++ = 'P';
    to = write_part(to, interval.months / 12, 'Y');
    to = write_part(to, interval.months % 12, 'M');
    to = write_part(to, interval.days, 'D');
    if (interval.microseconds == 0) {
        return to;
    }
    *to++ = 'T';
    to = write_part(to, interval.microseconds / kHour, 'H');
    to = write_part(to, interval.microseconds % kHour / kMinute, 'M');
    if (const std::int64_t rest = interval.microseconds % kMinute; rest != 0) {
        to = write_signed_seconds(to, rest);
        *to++ = 'S';
    }
    return to;
}

}  // namespace pgc
