// A value as PostgreSQL prints it, with the settings that our sessions have: DateStyle ISO, zone
// UTC, IntervalStyle postgres, floats with all their digits.
//
//   [1,10)    {"2023-10-15 10:30:00+00",NULL}    (1,"a b")    "k"=>"v"
#pragma once

#include <string>

#include "core/value.h"

namespace pgc {

// Appends `value`, which is of `type` and not null. False when it is not of the form of its type:
// what was appended then means nothing.
bool append_server_text(std::string& out, const Type& type, const Value& value);

}  // namespace pgc
