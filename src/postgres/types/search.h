// Full text search, shown as the server prints it: tsvector "'a':1 'fat':2A,3B", tsquery
// "'fat' & ( 'cat' | 'rat' )".
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_tsvector_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_tsquery_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
