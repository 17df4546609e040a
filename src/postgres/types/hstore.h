// hstore: a map from texts to texts or nulls.
//
//   text    "a"=>"1", "b \"c\""=>NULL
//   binary  Int32 pairs  pairs × (sized key  sized value)
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_hstore_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_hstore_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
