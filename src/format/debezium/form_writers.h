// Writes values in their forms, in any encoding: a writer for each form, picked once when the plan
// of a table is made.
//
// What an encoding is: encoding/field_bytes.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "core/value.h"
#include "format/debezium/column_form.h"
#include "format/debezium/decimal_digits.h"
#include "format/debezium/geometry.h"
#include "format/encoding/avro_encoding.h"
#include "format/encoding/json_encoding.h"
#include "format/encoding/protobuf_encoding.h"
#include "format/json/text.h"
#include "format/json/writer.h"

namespace pgc {

// What writers share while a message is written, and the memory they need beside it.
struct FormContext : TextRules {
    std::string text;
    std::string bytes;
    std::vector<double> numbers;
    PostgisGeometry geometry;
    DecimalDigits digits;
    Arena arena;
};

struct FormPlan;

// Appends `value`, which is not null. False, with the fault set, when it can't: what was appended
// is to be rewound then.
using FormWriter = bool (*)(FormContext& context, Writer& out, const FormPlan& plan,
                            const Value& value);

struct FormPlan {
    FormWriter write = nullptr;
    TypePtr type;
    int scale = 0;                   // as ColumnForm::scale; of a geometry: its Shape
    bool nested = true;              // of an array: its dimensions are written
    std::vector<FormPlan> parts;     // as ColumnForm::parts
    std::vector<FieldBytes> fields;  // of a structure
    FieldBytes element;              // of an array
    EntryBytes entry;                // of a map, or of the map within a structure
};

// `nested`: arrays of several dimensions are arrays of arrays; else their elements one after the
// other, as a schema wants it.
template <typename Encoding>
FormPlan compile_form(const ColumnForm& form, const TypePtr& type, bool nested);

extern template FormPlan compile_form<JsonEncoding>(const ColumnForm&, const TypePtr&, bool);
extern template FormPlan compile_form<AvroEncoding>(const ColumnForm&, const TypePtr&, bool);
extern template FormPlan compile_form<ProtobufEncoding>(const ColumnForm&, const TypePtr&, bool);

}  // namespace pgc
