// A value as PostgreSQL prints it, with the settings that our sessions have: DateStyle ISO, zone
// UTC, IntervalStyle postgres, floats with all their digits.
//
//   [1,10)    {"2023-10-15 10:30:00+00",NULL}    (1,"a b")    "k"=>"v"
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/value.h"
#include "format/json/number.h"
#include "format/json/time_text.h"

namespace pgc {

// Appends `value`, which is of `type` and not null. False when it is not of the form of its type:
// what was appended then means nothing.
bool append_server_text(std::string& out, const Type& type, const Value& value);

// Of the most frequent ones alone: they write at `to`, at most as many bytes as the constant says,
// and return the end, or nullptr for a number that is no such time.
inline constexpr std::size_t kMaxServerTimeText = kMaxTimeText + 3;
char* write_server_timestamp(char* to, std::int64_t microseconds, bool zone) noexcept;

// float or double, at most kMaxRealText bytes; NaN and the infinities too.
template <typename Real>
char* write_server_real(char* to, Real value) noexcept;

}  // namespace pgc
