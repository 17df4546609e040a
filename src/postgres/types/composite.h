// Composites: rows as values.
//
//   text    (1,"two, \"2\"",,"")    nothing is null, "" is the empty text; quotes and
//                                   backslashes are doubled
//   binary  Int32 fields  fields × (Int32 OID  sized value)
//
// The catalog is today's, a value may be older: one with fewer fields than the type has now
// reads the missing ones as null, as PostgreSQL does; one with more is refused.
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_composite_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_composite_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
