// Times, intervals and bits as the numbers and bytes that Debezium makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/value.h"

namespace pgc {

// Since 1970-01-01; the infinities as Debezium has them. False when they don't fit.
bool epoch_days(const Value& date, std::int64_t& out) noexcept;
bool epoch_millis(const Value& timestamp, std::int64_t& out) noexcept;
bool epoch_micros(const Value& timestamp, std::int64_t& out) noexcept;
bool epoch_nanos(const Value& timestamp, std::int64_t& out) noexcept;

// A month is a twelfth of 365.25 days.
std::int64_t interval_micros(const Interval& interval) noexcept;
bool is_infinite(const Interval& interval) noexcept;

// Of '0' and '1': the last one is the lowest bit of the first byte, zeros above the highest one are
// left out.
void bits_to_bytes(std::string_view bits, std::string& out);

void to_hexadecimal(std::string_view bytes, std::string& out);

}  // namespace pgc
