// A schema as text of Avro, as Confluent's AvroConverter makes it of Kafka Connect's (its defaults:
// connect.meta.data=true, enhanced.avro.schema.support=false), so that whoever comes from Debezium
// finds the names, types and annotations their registry and their generated classes have.
//
// Names that Avro does not have are made such as scrub.invalid.names=true makes them; valid ones
// stay.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "format/connect/schema.h"

namespace pgc {

enum class AvroDocs : bool {
    annotations,  // as AvroConverter: comments stand in connect.doc
    attributes,   // in `doc` of records and fields, too, where Avro's own tools look
};

// Fails where two names become one: fields of a structure, or structures that hold different
// things.
Result<std::string> avro_schema(const ConnectSchema& schema, AvroDocs docs = AvroDocs::annotations);

// An optional value is a union, and a value begins with the number of its branch: null is branch 0
// and the value 1, except where the field has a default, whose type a union must begin with.
inline bool avro_null_is_last(const ConnectSchema& schema) noexcept {
    return schema.optional && schema.fallback && schema.type != ConnectType::structure;
}

// Whether a map is one in Avro, whose keys are strings; else it is an array of records of key and
// value.
inline bool is_avro_map(const ConnectSchema& schema) noexcept {
    return schema.key->type == ConnectType::string && !schema.key->optional;
}

// Of a structure, as its schema has it: "shop.public.my-users.Value" →
// "shop.public.my_users.Value".
std::string avro_full_name(std::string_view name);

// "größe" → "gr_C3_B6_C3_9Fe", "2nd" → "x2nd": a name out of letters, digits and underscores.
std::string scrubbed_name(std::string_view name);

}  // namespace pgc
