#include "format/debezium/iso_time.h"

#include "format/json/calendar.h"
#include "format/json/number.h"

namespace pgc {
namespace {

constexpr std::int64_t kMinute = 60 * kMicrosOfSecond;
constexpr std::int64_t kHour = 60 * kMinute;

char* four_digits(char* to, std::uint64_t value) noexcept {
    return write_two_digits(write_two_digits(to, value / 100), value % 100);
}

char* year(char* to, std::int64_t year) noexcept {
    auto magnitude = static_cast<std::uint64_t>(year);
    if (year < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    } else if (year > 9999) {
        *to++ = '+';
    }
    return magnitude < 10'000 ? four_digits(to, magnitude) : write_unsigned(to, magnitude);
}

char* fraction(char* to, std::uint64_t micros, int digits) noexcept {
    if (digits == 0 && micros == 0) return to;
    *to++ = '.';
    char* const first = to;
    to = write_two_digits(to, micros / 10'000);
    to = write_two_digits(to, micros / 100 % 100);
    to = write_two_digits(to, micros % 100);
    if (digits > 0) return first + digits;
    while (to[-1] == '0') --to;
    return to;
}

char* part(char* to, std::int64_t value, char unit) noexcept {
    to = write_integer(to, value);
    *to++ = unit;
    return to;
}

}  // namespace

char* iso_date(char* to, std::int64_t days) noexcept {
    const CivilDate date = civil_date(days);
    to = year(to, date.year);
    *to++ = '-';
    to = write_two_digits(to, date.month);
    *to++ = '-';
    return write_two_digits(to, date.day);
}

char* iso_time(char* to, std::int64_t micros, int digits) noexcept {
    const auto seconds = static_cast<std::uint64_t>(micros / kMicrosOfSecond);
    to = write_two_digits(to, seconds / 3600);
    *to++ = ':';
    to = write_two_digits(to, seconds / 60 % 60);
    *to++ = ':';
    to = write_two_digits(to, seconds % 60);
    return fraction(to, static_cast<std::uint64_t>(micros % kMicrosOfSecond), digits);
}

char* iso_moment(char* to, std::int64_t micros, int digits) noexcept {
    const DayAndTime parts = day_and_time(micros);
    to = iso_date(to, parts.day);
    *to++ = 'T';
    return iso_time(to, parts.micros, digits);
}

char* iso_interval(char* to, const Interval& interval) noexcept {
    *to++ = 'P';
    to = part(to, interval.months / 12, 'Y');
    to = part(to, interval.months % 12, 'M');
    to = part(to, interval.days, 'D');
    *to++ = 'T';
    to = part(to, interval.microseconds / kHour, 'H');
    to = part(to, interval.microseconds % kHour / kMinute, 'M');
    const std::int64_t rest = interval.microseconds % kMinute;
    if (rest < 0) *to++ = '-';
    const auto magnitude = static_cast<std::uint64_t>(rest < 0 ? -rest : rest);
    to = write_unsigned(to, magnitude / kMicrosOfSecond);
    to = fraction(to, magnitude % kMicrosOfSecond, 0);
    *to++ = 'S';
    return to;
}

}  // namespace pgc
