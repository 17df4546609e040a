// Geometric types and vectors of numbers, shown as the server prints them: point "(1.5,-2)",
// line "{1,2,3}", lseg "[(0,0),(1,1)]", box "(2,2),(1,1)", path "[(0,0),(1,1)]" (open) or in
// parentheses, polygon "((0,0),(1,0))", circle "<(1,2),3>"; cube "(1, 2),(3, 4)"; pgvector's
// sparsevec "{1:1.5,3:2}/5"; int2vector and oidvector "1 2 3".
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_point_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_line_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_lseg_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_box_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_path_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_polygon_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_circle_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_cube_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_sparsevec_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_int2vector_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_oidvector_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
