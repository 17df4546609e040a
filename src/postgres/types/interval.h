// interval.
//
//   text    IntervalStyle iso_8601, which every connection of ours asks for:
//           P1Y2M3DT4H5M6.789S, each number with its own sign; PT0S; infinity (17+)
//   binary  Int64 microseconds  Int32 days  Int32 months
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_interval_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_interval_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
