// One value as the text of a CSV field: a writer for each kind, picked once when a relation's plan
// is compiled. It is the text that PostgreSQL prints, but for booleans and bytea, which are written
// as format.csv says, and money, which is its amount.
#pragma once

#include "core/value.h"
#include "format/csv/field.h"
#include "format/csv/options.h"

namespace pgc {

// Appends the field of `value`, which is of `type` and not null. False, with context.fault set,
// when it can't: `out` is to be rewound then.
using CsvValueWriter = bool (*)(CsvContext& context, Writer& out, const Type& type,
                                const Value& value);

CsvValueWriter csv_writer_of(const Type& type, const CsvOptions& options) noexcept;

// The field is what the server sent, where that is text already.
bool is_written_as_sent(const Type& type, const CsvOptions& options) noexcept;

}  // namespace pgc
