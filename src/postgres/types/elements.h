// Reading what stands inside arrays, rows, ranges and maps.
//
// Depth is bounded by the types themselves: a TypeMap composes none that nests deeper than
// kMaxNesting, so readers may call each other freely.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/byte_cursor.h"
#include "core/value.h"

namespace pgc::types {

inline constexpr int kMaxNesting = 32;

// Int32 length and that many bytes; a length of -1 is null.
bool read_sized(const Type& type, ByteCursor& in, Scratch& scratch, Value& out);

// Which characters are escaped how inside double quotes.
enum class Quoting : unsigned char {
    backslash,  // \x only: arrays, hstore
    doubled,    // \x, and "" for a quote: rows, ranges
};

// Finds the end of an item that begins at `at`: the first of `stops` outside quotes, or
// text.size(). Sets `escaped` if the item has quotes or backslashes.
std::size_t find_item_end(std::string_view text, std::size_t at, std::string_view stops,
                          bool& escaped) noexcept;

// The item without its quotes and escapes, in the scratch.
std::string_view unescape(std::string_view item, Quoting quoting, Scratch& scratch);

}  // namespace pgc::types
