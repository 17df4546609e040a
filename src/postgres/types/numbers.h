// bool, integers of any width, oid and its kin, floats.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_cursor.h"
#include "core/value.h"

namespace pgc::types {

bool read_boolean_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_boolean_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

template <std::integral T>
bool read_integer_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    T value{};
    const char* end = bytes.data() + bytes.size();
    const auto [stop, error] = std::from_chars(bytes.data(), end, value);
    out.integer = static_cast<std::int64_t>(value);
    return error == std::errc{} && stop == end;
}

template <std::integral T>
bool read_integer_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != sizeof(T)) {
        return false;
    }
    ByteCursor in{bytes};
    out.integer = static_cast<std::int64_t>(in.read<T>());
    return true;
}

// PostgreSQL 12 and later print the fewest digits that give the same float back, 10 and
// 11 (under extra_float_digits=3) always 9 or 17: both read to the same value.
bool read_real32_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_real64_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_real32_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_real64_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
