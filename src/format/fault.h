// Why a value can't be written, and how that is said: where, and what helps, but never the value.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "core/change.h"

namespace pgc {

enum class ValueFault : std::uint8_t {
    none,
    not_of_type,      // its bytes don't have the form of its column's type
    altered,          // nor does its text, and a text can't stand where it is to be written
    not_utf8,         // and format.invalid_utf8 is fail
    not_utf8_in_key,  // where nothing may be replaced
    key_unknown,      // the server did not send it
    old_key_unknown,  // nor that of the old row, see core/old_key.h
    no_number,        // NaN or an infinity, where only numbers can be written
    out_of_range,     // of the number it is to be written as
    null_required,    // null, where the schema has no null
};

// `column`: the one that was written, by its place in the change's relation.
Error change_failure(ValueFault fault, const Change& change, std::uint32_t column);

}  // namespace pgc
