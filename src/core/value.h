// The closed set of kinds a column's value can have, and a cheap view of one value.
//
// A source maps its own types onto kinds and reads its wire bytes into Values; a
// format picks one writer per kind when it compiles its plan for a relation. Neither
// knows the other. A Value owns nothing: its views point into the received message or
// into the Scratch it was read with, and live until the scratch is cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/ids.h"

namespace pgc {

// Beside each kind: the member of Value that carries it.
enum class Kind : std::uint8_t {
    boolean,       // integer: 0 or 1
    integer,       // integer: Type::width bytes wide (2, 4, 8); unsigned 32-bit ones as they are
    real32,        // real: NaN and infinities possible
    real64,        // real
    decimal,       // text: digits as PostgreSQL prints them; NaN, Infinity, -Infinity possible
    text,          // text: UTF-8, or any bytes of an SQL_ASCII database: formats have to check
    enumeration,   // text: the label
    bytes,         // text: any bytes
    json,          // text: a JSON document, as the server keeps it
    uuid,          // text: 36 characters, lower case
    bits,          // text: '0' and '1'
    date,          // integer: days since 2000-01-01, kInfinity, -kInfinity
    time,          // integer: microseconds since midnight, 24:00 included
    time_tz,       // integer: the same, local; zone_seconds: east of UTC
    timestamp,     // integer: microseconds since 2000-01-01 00:00, kInfinity, -kInfinity
    timestamp_tz,  // the same, in UTC
    interval,      // interval
    array,         // list: elements in row-major order; dimensions
    composite,     // list: one value for each of Type::fields
    range,         // list: two values (null where unbounded), or none when empty; range_flags
    multirange,    // list: ranges
    map,           // list: key, value, key, value … (texts; a value may be null)
};

inline constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();

struct Interval {
    std::int32_t months = 0;
    std::int32_t days = 0;
    std::int64_t microseconds = 0;
    // PostgreSQL 17 and later: infinity has all three at their largest or smallest.
};

struct Dimension {
    std::int32_t length = 0;
    std::int32_t lower = 1;
};

struct RangeFlags {
    bool empty = false;
    bool lower_inclusive = false;
    bool upper_inclusive = false;
};

struct Value {
    bool is_null = false;
    RangeFlags range_flags;
    std::int32_t zone_seconds = 0;
    union {
        std::int64_t integer = 0;
        double real;
    };
    Interval interval;
    std::string_view text;
    std::span<const Value> list;
    std::span<const Dimension> dimensions;  // of an array; none when it is empty
};

// Memory for what a value needs beside the message: unescaped texts, elements.
// Cleared by the format after each row.
using Scratch = Arena;

struct Type;

// Reads one value's bytes into `out`. False when the bytes are not of this type;
// `out` is then undefined. Survives any bytes.
using Reader = bool (*)(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

struct Field {
    std::string name;
    std::shared_ptr<const Type> type;
};

// What a column's values are. Immutable once built; shared by relations.
struct Type {
    Kind kind = Kind::text;
    std::uint8_t width = 0;  // of integers, in bytes
    bool is_unsigned = false;
    Oid oid;           // in the source's catalog; none for a made-up one
    std::string name;  // as the source calls it: "numeric", "public.mood"
    // Of a domain: those of the type at its bottom; else its own.
    Oid root;
    std::string root_name;
    std::int32_t modifier = -1;  // of a domain: what it says of its values; as Column::modifier
    std::vector<std::string> labels;  // of an enumeration, in order; values may have newer ones
    Reader read_text = nullptr;
    Reader read_binary = nullptr;         // nullptr: no known binary form
    std::shared_ptr<const Type> element;  // of array, range (its subtype), multirange (its range)
    std::vector<Field> fields;            // of composite
    char delimiter = ',';                 // between elements of an array of this type, in text
};

using TypePtr = std::shared_ptr<const Type>;

}  // namespace pgc
