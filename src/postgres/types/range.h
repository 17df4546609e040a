// Ranges and multiranges of any subtype.
//
//   range       text    empty  |  [1,10)  |  (,5]  |  ["2020-01-01 00:00:00","…")
//               binary  Byte flags, then each bound that is there, sized
//   multirange  text    {[1,3),[5,7)}  |  {}
//               binary  Int32 n  n × sized range
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_range_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_range_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_multirange_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_multirange_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
