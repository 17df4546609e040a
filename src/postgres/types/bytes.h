// Types that are their bits: bytea, uuid, bit strings, and PostGIS' geometry.
//
//   bytea     text "\x0aFF" or, under bytea_output=escape, "a\\b\000"; binary: the bytes
//   uuid      text of 36 characters; binary: 16 bytes
//   bit       text "0101"; binary: Int32 number of bits, then bytes, the first bit highest
//   geometry  text: hexadecimal EWKB, upper case; binary: EWKB
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_bytea_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_uuid_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_uuid_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_bits_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_bits_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_geometry_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
