// Dates, times and intervals as text. Each function writes at `to`, at most
// kMaxTimeText bytes, and returns the end, or nullptr for a number that is no such time
// (only broken bytes make one).
//
//   date          2023-10-15          0044-03-15 BC       infinity   -infinity
//   timestamp     2023-10-15T10:30:00.25                  (the same before " BC")
//   timestamp_tz  2023-10-15T10:30:00Z                    0044-03-15T10:30:00Z BC
//   time          10:30:00.000001     24:00:00
//   time_tz       10:30:00+02:00      10:30:00Z           10:30:00-00:44:30
//   interval      P1Y2M3DT4H5M6.78S   PT0S   P-1Y2DT-0.5S
//
// Seconds have a fraction only when it is not zero, without trailing zeros. Years before
// 1 are written as PostgreSQL does, with " BC", and years after 9999 with as many digits
// as they have: what one would cast back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/value.h"

namespace pgc {

inline constexpr std::size_t kMaxTimeText = 96;

char* write_date(char* to, std::int64_t days) noexcept;
char* write_timestamp(char* to, std::int64_t microseconds) noexcept;
char* write_timestamp_tz(char* to, std::int64_t microseconds) noexcept;
char* write_time(char* to, std::int64_t microseconds) noexcept;
char* write_time_tz(char* to, std::int64_t microseconds, std::int32_t zone_seconds) noexcept;
char* write_interval(char* to, const Interval& interval) noexcept;

}  // namespace pgc
