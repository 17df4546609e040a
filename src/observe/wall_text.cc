#include "observe/wall_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "base/ascii.h"

namespace pgc {
namespace {

struct Parts {
    int year;
    unsigned month;
    unsigned day;
    unsigned weekday;
    std::int64_t second_of_day;
    std::int64_t ms;
};

Parts split(WallTime at) {
    using namespace std::chrono;
    // Years 0 to 9999: a clock that is wrong beyond them is printed as the limit.
    constexpr std::int64_t kEarliest = -62'167'219'200'000'000;
    constexpr std::int64_t kLatest = 253'402'300'799'999'999;
    const sys_time<microseconds> moment{microseconds{std::clamp(at.unix_us, kEarliest, kLatest)}};
    const auto midnight = floor<days>(moment);
    const year_month_day date{midnight};
    const auto us = (moment - midnight).count();
    return {static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            weekday{midnight}.c_encoding(),
            us / 1'000'000,
            us / 1'000 % 1'000};
}

constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

void append_wall_time(std::string& out, WallTime at) {
    const Parts p = split(at);
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.year,
                   p.month, p.day, p.second_of_day / 3600, p.second_of_day / 60 % 60,
                   p.second_of_day % 60, p.ms);
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
    constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";
    if (text.size() != kShape.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (kShape[i] == '0' ? !is_digit(text[i]) : text[i] != kShape[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
        return value;
    };
    using namespace std::chrono;
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                              day{static_cast<unsigned>(number(8, 2))}};
    const int hour = number(11, 2);
    const int minute = number(14, 2);
    const int second = number(17, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const auto moment = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
                        milliseconds{number(20, 3)};
    return WallTime{duration_cast<microseconds>(moment.time_since_epoch()).count()};
}

std::string http_date(WallTime at) {
    const Parts p = split(at);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[p.weekday], p.day,
                       kMonths[p.month - 1], p.year, p.second_of_day / 3600,
                       p.second_of_day / 60 % 60, p.second_of_day % 60);
}

}  // namespace pgc
