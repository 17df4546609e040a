// How the values of a column are written for those who read Debezium's messages: a form for each
// type and setting, decided once for a version of a table, with the schema that goes with it.
//
// Where Debezium leaves a type out of its messages (composites, multiranges, arrays of money …) it
// has a form here: docs/reference/debezium.md lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/relation.h"
#include "core/value.h"
#include "format/connect/schema.h"
#include "format/debezium/options.h"

namespace pgc {

// Beside each form: what is written, in the terms of Kafka Connect.
enum class Form : std::uint8_t {
    boolean,
    integer,  // int16, int32, int64: the schema says which
    float32,
    float64,
    text,              // string
    server_text,       // string: as PostgreSQL prints the value
    bytes,             // bytes
    base64,            // string
    base64_url_safe,   // string, without padding being left out
    hexadecimal,       // string
    decimal,           // bytes: the digits at ColumnForm::scale as one number
    variable_decimal,  // structure of scale and digits
    decimal_text,      // string
    decimal_double,    // float64
    single_bit,        // boolean
    bits,              // bytes, the lowest first
    date_days,         // int32 since 1970
    date_iso,          // string
    time_millis,       // int32 since midnight
    time_micros,       // int64
    time_nanos,        // int64
    time_iso,          // string, as the next ones
    zoned_time,
    timestamp_millis,  // int64 since 1970
    timestamp_micros,
    timestamp_nanos,
    timestamp_iso,    // string
    zoned_timestamp,  // string with ColumnForm::scale digits of a fraction; 0: as many as it has
    date_structured,  // structures of calendar, clock and zone, ColumnForm::scale: digits
    time_structured,
    zoned_time_structured,
    timestamp_structured,
    zoned_timestamp_structured,
    interval_structured,
    interval_micros,  // int64; a month is a twelfth of 365.25 days
    interval_iso,     // string
    array,            // of parts[0]
    composite,        // structure of parts
    map_json,         // string with a JSON object
    map,              // from string to string
    point,            // structures of geometry
    geometry,
    line,
    circle,
    ewkb,           // geometry of PostGIS
    sparse_vector,  // structure of dimensions and elements
};

struct ColumnForm {
    Form form = Form::text;
    int scale = 0;
    ConnectSchemaPtr schema;  // of a value; optional or not as the column is
    std::vector<ColumnForm> parts;
};

// What the schemas of a table are called by.
struct SchemaNames {
    std::string prefix;  // "cdc.public.users"
    NameAdjustment fields = NameAdjustment::none;
    NameAdjustment schemas = NameAdjustment::none;
};

ColumnForm column_form(const Column& column, const DebeziumOptions& options,
                       const SchemaNames& names);

}  // namespace pgc
