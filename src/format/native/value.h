// One value as JSON: a writer for each kind, picked once when a relation's plan is
// compiled, nested ones with their parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "format/json/document.h"
#include "format/json/text.h"
#include "format/json/writer.h"
#include "format/options.h"

namespace pgc {

// What writers share while a message is written. What they met is to be looked at and cleared
// after each column.
struct ValueContext : TextRules {
    using Fault = ValueFault;

    bool met_unreadable = false;  // the source's text was written as it is

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

}  // namespace pgc
