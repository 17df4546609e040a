// Dates and times as Java's ISO formatters print them, which is what Debezium's texts are.
//
//   date             2023-10-15   -0043-03-15 (44 BC)   +10000-01-01
//   time             10:30:00     10:30:00.000001       fractions without trailing zeros
//   moment           2023-10-15T10:30:00
//   interval         P1Y2M3DT4H5M6.78S                  all parts, zero or not
//
// Each function writes at `to`, at most kMaxIsoText bytes, and returns the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/value.h"

namespace pgc {

inline constexpr std::size_t kMaxIsoText = 128;

// `days` since 2000-01-01.
char* iso_date(char* to, std::int64_t days) noexcept;

// `digits`: of the fraction; 0: as many as it needs.
// Requires: 0 <= micros <= a day.
char* iso_time(char* to, std::int64_t micros, int digits = 0) noexcept;

// `micros` since 2000-01-01 00:00.
char* iso_moment(char* to, std::int64_t micros, int digits = 0) noexcept;

char* iso_interval(char* to, const Interval& interval) noexcept;

}  // namespace pgc
