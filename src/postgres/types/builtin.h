// The types every PostgreSQL has, by OID, and those of well-known extensions, by name.
//
// This is the one place that says which type is of which kind and how it is read; README.md
// shows it as a table. A nullptr for the binary reader means that the server's binary form is
// not read by us: columns of such a type are asked for in text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "core/value.h"

namespace pgc::types {

struct ScalarType {
    std::uint32_t oid = 0;    // none for an extension's
    std::uint32_t array = 0;  // the OID of its array type; none if it has none
    std::string_view name;
    Kind kind = Kind::text;
    Reader read_text = nullptr;
    Reader read_binary = nullptr;
    std::uint8_t width = 0;
    bool is_unsigned = false;
    char delimiter = ',';
    bool has_send = true;  // false: the server sends it as text even when asked for binary
};

// Built of others: exactly one of the three is set.
struct BuiltType {
    std::string_view name;  // empty for arrays: "_" and the element's name
    Oid element;            // of an array
    Oid subtype;            // of a range
    Oid range;              // of a multirange
};

const ScalarType* find_scalar(Oid oid) noexcept;
std::optional<BuiltType> find_built(Oid oid) noexcept;

// By its name in pg_type ("int4", "_int4", "numrange"); none for what is not built in.
Oid find_built_in(std::string_view name) noexcept;

// Of an extension, like "hstore"; nullptr for names nobody knows.
const ScalarType* find_extension(std::string_view name) noexcept;

}  // namespace pgc::types
