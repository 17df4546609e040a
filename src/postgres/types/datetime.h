// date, time, timetz, timestamp, timestamptz.
//
// Text is that of DateStyle ISO, which every connection of ours asks for:
//   date         2023-10-15  |  0044-03-15 BC  |  294276-12-31  |  infinity  |  -infinity
//   time         10:30:00.123456  |  24:00:00
//   timetz       10:30:00+05:30
//   timestamp    2023-10-15 10:30:00.5  |  0044-03-15 10:30:00 BC
//   timestamptz  2023-10-15 10:30:00.5+00  |  1883-11-18 12:00:00-04:56:02  |  … BC
// Binary: days (Int32) or microseconds (Int64) since 2000-01-01 or midnight, and for timetz
// an Int32 with the seconds *west* of UTC.
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_date_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_date_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_time_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_time_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_time_tz_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_time_tz_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_timestamp_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_timestamp_tz_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
// Of both.
bool read_timestamp_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
