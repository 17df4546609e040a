// From a number of days to a date of the Gregorian calendar, also before there was one.
#pragma once

#include <cstdint>

namespace pgc {

inline constexpr std::int64_t kMicrosOfSecond = 1'000'000;
inline constexpr std::int64_t kMicrosOfDay = 24 * 3600 * kMicrosOfSecond;
inline constexpr std::int64_t kDaysTo2000 = 10'957;  // from 1970-01-01

struct CivilDate {
    std::int64_t year = 0;  // astronomical: 0 is 1 BC
    std::uint64_t month = 0;
    std::uint64_t day = 0;
};

// Counts in eras of 400 years that begin on the first of March, so that the leap day is the last of
// its year.
constexpr CivilDate civil_date(std::int64_t days_since_2000) noexcept {
    constexpr std::int64_t to_march_of_year_0 = 730'425;  // from 0000-03-01 to 2000-01-01
    constexpr std::int64_t days_in_era = 146'097;
    const std::int64_t days = days_since_2000 + to_march_of_year_0;
    const std::int64_t era = (days >= 0 ? days : days - (days_in_era - 1)) / days_in_era;
    const auto in_era = static_cast<std::uint64_t>(days - era * days_in_era);
    const std::uint64_t year_in_era =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const std::uint64_t in_year =
        in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    const std::uint64_t march_month = (5 * in_year + 2) / 153;
    const bool next_year = march_month >= 10;
    return {.year = static_cast<std::int64_t>(year_in_era) + era * 400 + (next_year ? 1 : 0),
            .month = next_year ? march_month - 9 : march_month + 3,
            .day = in_year - (153 * march_month + 2) / 5 + 1};
}

// A moment taken apart: the day it is in, and what has passed of it.
struct DayAndTime {
    std::int64_t day = 0;
    std::int64_t micros = 0;
};
constexpr DayAndTime day_and_time(std::int64_t micros) noexcept {
    DayAndTime parts{micros / kMicrosOfDay, micros % kMicrosOfDay};
    if (parts.micros < 0) {
        parts.micros += kMicrosOfDay;
        --parts.day;
    }
    return parts;
}

}  // namespace pgc
