// Types that are their text: text itself, enums, json, and those carried as the server
// prints them; with the binary forms that differ from the text only a little.
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

// The bytes as they are: text of any type carried as text, and the binary form of most.
bool read_plain(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

// A version byte, 1, before the text: jsonb, jsonpath, ltree.
bool read_versioned(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

// "char": one byte. Zero is the empty text, bytes from 0x80 on are shown as "\ooo", which
// PostgreSQL 16 and later do in text, too.
bool read_char_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
