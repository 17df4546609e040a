// Arrays of any type and dimension, and pgvector's vectors, which are arrays of real32.
//
//   text    {1,NULL,"a \"b\""}  {{1,2},{3,4}}  [0:2]={1,2,3}  {}
//   binary  Int32 dimensions  Int32 has-nulls  Int32 element's OID
//           dimensions × (Int32 length  Int32 lower bound)  elements, row-major, each sized
//
//   vector, halfvec   text [1,2.5,3]; binary Int16 n  Int16 0  n × 4 or 2 bytes
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_array_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_array_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

bool read_vector_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_vector_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_halfvec_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
