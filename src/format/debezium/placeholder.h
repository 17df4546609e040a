// What stands for a TOASTed value that did not change, so that the server did not send it.
//
//   unavailable_value_placeholder: "gone"  or  "hex:00ff"
//
// Debezium has a placeholder for texts, bytea, hstore, and some arrays. All else is null with it
// where the column may be null.
#pragma once

#include <string>
#include <string_view>

#include "core/value.h"
#include "format/debezium/column_form.h"

namespace pgc {

struct Placeholder {
    std::string bytes;
    std::string text;  // the bytes, with U+FFFD for what is not UTF-8
    std::string uuid;  // of version 3, made of the bytes
};

// Of a "hex:" that is not followed by pairs of hexadecimal digits there is none.
bool is_placeholder(std::string_view setting) noexcept;
// Requires: is_placeholder(setting).
Placeholder placeholder_of(std::string_view setting);

// Whether Debezium writes one in columns of this type.
bool has_placeholder(const Type& type, const ColumnForm& form) noexcept;

}  // namespace pgc
