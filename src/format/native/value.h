// One value as JSON: a writer for each kind, picked once when a relation's plan is
// compiled, nested ones with their parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "format/json/document.h"
#include "format/json/writer.h"
#include "format/options.h"

namespace pgc {

// What writers share while a message is written.
struct ValueContext {
    InvalidUtf8 invalid_utf8 = InvalidUtf8::fail;
    bool in_key = false;  // no byte may be replaced: distinct keys would become one

    // Set by writers, to be looked at and cleared after each column.
    bool met_invalid_utf8 = false;  // base64 or U+FFFD was written instead
    bool met_unreadable = false;    // the source's text was written as it is
    enum class Fault : std::uint8_t { none, not_of_type, not_utf8, not_utf8_in_key, key_unknown };
    Fault fault = Fault::none;  // why a writer returned false

    DocumentWriter documents;
    std::string bound;  // of a range, while it is quoted
};

struct ValuePlan;

// Appends `value`, which is not null, to `out`. False, with context.fault set, when it
// can't: what was appended then is to be rewound by the caller.
using ValueWriter = bool (*)(ValueContext& context, Writer& out, const ValuePlan& plan,
                             const Value& value);

struct ValuePlan {
    ValueWriter write = nullptr;
    std::vector<ValuePlan> parts;    // of array, range, multirange one; of composite each field
    std::vector<std::string> names;  // of composite: `{"a":`, then `,"b":`
};

// Of the options only how numbers are written.
ValuePlan compile_value(const Type& type, const FormatOptions& options);

// Text between quotes, as the context says for what is not UTF-8.
bool write_text(ValueContext& context, Writer& out, std::string_view text);

// `"name":` for a name of the catalog. One that is not UTF-8 is written in base64, so
// that distinct names stay distinct.
std::string json_string(std::string_view text);
std::string json_name(std::string_view name);

}  // namespace pgc
