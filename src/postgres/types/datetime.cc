#include "postgres/types/datetime.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "base/ascii.h"
#include "base/byte_cursor.h"

namespace pgc::types {
namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kDay_us = 86'400 * kSecond_us;
constexpr std::int32_t kMaxZone_s = 16 * 3600;  // PostgreSQL's MAX_TZDISP_HOUR, plus one
constexpr int kMaxYear = 5'874'897;             // of a date; a timestamp ends earlier

constexpr std::string_view kBeforeChrist = " BC";

// Walks over a text whose form is known. Once something is not as expected it stays
// wrong, and the caller asks once.
class Walker {
public:
    explicit Walker(std::string_view text) noexcept
        : at_(text.data()), end_(text.data() + text.size()) {}

    int two_digits() noexcept {
        if (end_ - at_ < 2 || !is_digit(at_[0]) || !is_digit(at_[1])) [[unlikely]] {
            wrong_ = true;
            return 0;
        }
        const int value = (at_[0] - '0') * 10 + (at_[1] - '0');
        at_ += 2;
        return value;
    }

    // At least four digits.
    int year() noexcept {
        int value = two_digits() * 100;
        value += two_digits();
        while (at_ != end_ && is_digit(*at_) && value <= kMaxYear) {
            value = value * 10 + (*at_++ - '0');
        }
        return value;
    }

    // Up to six digits after a point that is already eaten.
    int microseconds() noexcept {
        int value = 0;
        int scale = 1'000'000;
        while (at_ != end_ && is_digit(*at_) && scale > 1) {
            scale /= 10;
            value += (*at_++ - '0') * scale;
        }
        wrong_ = wrong_ || scale == 1'000'000;
        return value;
    }

    bool eat(char c) noexcept {
        if (at_ == end_ || *at_ != c) {
            return false;
        }
        ++at_;
        return true;
    }
    void expect(char c) noexcept { wrong_ = !eat(c) || wrong_; }

    bool finished_with(std::string_view last) const noexcept { return rest() == last && !wrong_; }
    bool finished() const noexcept { return at_ == end_ && !wrong_; }
    bool wrong() const noexcept { return wrong_; }

private:
    std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }

    const char* at_;
    const char* end_;
    bool wrong_ = false;
};

struct Date {
    int year = 0;  // as written: from 1 on, in whichever era
    int month = 0;
    int day = 0;
};

constexpr bool is_leap(int year) noexcept {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in_month(int year, int month) noexcept {
    constexpr std::array<int, 13> days = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month)];
}

// Days since 2000-01-01 in the proleptic Gregorian calendar, where year 0 is 1 BC.
// Years are counted from March, so that a leap day is a year's last.
constexpr std::int64_t days_since_2000(int year, int month, int day) noexcept {
    const std::int64_t y = month <= 2 ? year - 1 : year;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const std::int64_t year_of_era = y - era * 400;
    const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    constexpr std::int64_t from_year_0_march_to_2000 = 730'425;
    return era * 146'097 + day_of_era - from_year_0_march_to_2000;
}
static_assert(days_since_2000(2000, 1, 1) == 0);
static_assert(days_since_2000(1970, 1, 1) == -10'957);
static_assert(days_since_2000(0, 3, 1) == -730'425);

Date walk_date(Walker& in) noexcept {
    Date date;
    date.year = in.year();
    in.expect('-');
    date.month = in.two_digits();
    in.expect('-');
    date.day = in.two_digits();
    return date;
}

bool to_days(Date date, bool before_christ, std::int64_t& days) noexcept {
    const int year = before_christ ? 1 - date.year : date.year;
    if (date.year < 1 || date.year > kMaxYear || date.month < 1 || date.month > 12 ||
        date.day < 1 || date.day > days_in_month(year, date.month)) {
        return false;
    }
    days = days_since_2000(year, date.month, date.day);
    return true;
}

std::int64_t walk_time(Walker& in, bool& in_range) noexcept {
    const int hour = in.two_digits();
    in.expect(':');
    const int minute = in.two_digits();
    in.expect(':');
    const int second = in.two_digits();
    const int fraction = in.eat('.') ? in.microseconds() : 0;
    const std::int64_t time =
        ((std::int64_t{hour} * 60 + minute) * 60 + second) * kSecond_us + fraction;
    in_range = minute < 60 && second < 60 && time <= kDay_us;
    return time;
}

// "+hh", "+hh:mm" or "+hh:mm:ss": seconds east of UTC.
std::int32_t walk_zone(Walker& in) noexcept {
    const bool west = in.eat('-');
    if (!west) {
        in.expect('+');
    }
    std::int32_t seconds = in.two_digits() * 3600;
    if (in.eat(':')) {
        seconds += in.two_digits() * 60;
        if (in.eat(':')) {
            seconds += in.two_digits();
        }
    }
    return west ? -seconds : seconds;
}

bool read_infinity(std::string_view text, Value& out) noexcept {
    if (text == "infinity") {
        out.integer = kInfinity;
        return true;
    }
    out.integer = -kInfinity;
    return text == "-infinity";
}

bool looks_special(std::string_view text) noexcept {
    return text.empty() || !is_digit(text.front());
}

bool read_timestamp(std::string_view bytes, bool with_zone, Value& out) noexcept {
    if (looks_special(bytes)) {
        return read_infinity(bytes, out);
    }
    Walker in{bytes};
    const Date date = walk_date(in);
    in.expect(' ');
    bool in_range = false;
    const std::int64_t time = walk_time(in, in_range);
    const std::int64_t zone = with_zone ? walk_zone(in) : 0;
    const bool before_christ = !in.finished();
    std::int64_t days = 0;
    if (!in_range || (before_christ && !in.finished_with(kBeforeChrist)) ||
        !to_days(date, before_christ, days)) {
        return false;
    }
    std::int64_t at = 0;
    return !__builtin_mul_overflow(days, kDay_us, &at) &&
           !__builtin_add_overflow(at, time - zone * kSecond_us, &out.integer);
}

}  // namespace

bool read_date_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (looks_special(bytes)) {
        return read_infinity(bytes, out);
    }
    Walker in{bytes};
    const Date date = walk_date(in);
    const bool before_christ = !in.finished();
    return (!before_christ || in.finished_with(kBeforeChrist)) &&
           to_days(date, before_christ, out.integer);
}

bool read_date_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != sizeof(std::int32_t)) {
        return false;
    }
    ByteCursor in{bytes};
    const auto days = in.read<std::int32_t>();
    switch (days) {
        case std::numeric_limits<std::int32_t>::max(): out.integer = kInfinity; break;
        case std::numeric_limits<std::int32_t>::min(): out.integer = -kInfinity; break;
        default: out.integer = days;
    }
    return true;
}

bool read_time_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    Walker in{bytes};
    bool in_range = false;
    out.integer = walk_time(in, in_range);
    return in_range && in.finished();
}

bool read_time_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != sizeof(std::int64_t)) {
        return false;
    }
    ByteCursor in{bytes};
    out.integer = in.read<std::int64_t>();
    return out.integer >= 0 && out.integer <= kDay_us;
}

bool read_time_tz_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    Walker in{bytes};
    bool in_range = false;
    out.integer = walk_time(in, in_range);
    out.zone_seconds = walk_zone(in);
    return in_range && in.finished() && std::abs(out.zone_seconds) < kMaxZone_s;
}

bool read_time_tz_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    ByteCursor in{bytes};
    out.integer = in.read<std::int64_t>();
    const auto west = in.read<std::int32_t>();
    if (in.overrun() || in.remaining() > 0 || west <= -kMaxZone_s || west >= kMaxZone_s) {
        return false;
    }
    out.zone_seconds = -west;
    return out.integer >= 0 && out.integer <= kDay_us;
}

bool read_timestamp_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_timestamp(bytes, false, out);
}

bool read_timestamp_tz_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_timestamp(bytes, true, out);
}

bool read_timestamp_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != sizeof(std::int64_t)) {
        return false;
    }
    ByteCursor in{bytes};
    const auto at = in.read<std::int64_t>();
    // The server's minus infinity is one below ours.
    out.integer = at == std::numeric_limits<std::int64_t>::min() ? -kInfinity : at;
    return true;
}

}  // namespace pgc::types
