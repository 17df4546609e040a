// A schema as messages of Protobuf. Confluent's converter is the model, but it loses what
// PostgreSQL knows (null is zero, an array holds no null and no array, a null array is an empty
// one) unless it is configured, and its decimals need files that not every registry has. So these
// are the rules:
//
//   structure   a message; those within it are declared within the message that uses them
//   scalar      int32 (of 8 to 32 bits), int64, float, double, bool, string, bytes;
//               `optional` where it may be null
//   decimal     a message of its own, Decimal, whose fields are those of confluent.type.Decimal
//   array       a message Int32List of `repeated` messages Int32Item, whose field is an `optional`
//               value: so a null array is not an empty one, and an element may be null or an array
//   map         a message Int32StringMap of `repeated` messages Int32StringEntry of key and value
//
// The messages of arrays and maps are called by what they hold: with another type a column has
// another message, and their fields are always the first and the second.
//
// Of two fields whose names differ in case and underscores alone the second is called user_id_2:
// protoc refuses what would be one name in Protobuf's JSON.
//
// Logical types are what they are made of: a date is an int32. Everything stands in one file
// without imports, with one message at its top.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "format/connect/protobuf_file.h"
#include "format/connect/schema.h"

namespace pgc {

// The messages of a structure, fields numbered from 1 in its order. Fails for anything but a
// structure, and where two fields of one are called the same in Protobuf.
Result<ProtobufFile> protobuf_schema(const ConnectSchema& schema);

// Numbers stay for ever. Gives the fields of `file` the numbers that `earlier` has for fields of
// the same name and type, and those that had none new ones. Numbers that are no longer used are
// reserved, with a name that remembers what they were ("was_3_5email_string"), because that
// survives whatever a registry does to comments: a field that comes back with its old type has its
// number back. Messages that are no longer used stay, with their numbers, and so do other messages
// at the top, in their order.
//
// An int32 that became an int64 keeps its number: readers of either read both. Fails when `earlier`
// reserves whatever number there is.
Result<void> keep_numbers(ProtobufFile& file, const ProtobufFile& earlier);

// Reserves in `newest` what an older version of it used and it no longer knows: others may have
// registered versions that reserve nothing. To be called with the newer ones first.
void add_history(ProtobufFile& newest, const ProtobufFile& older);

// Gives the fields of `file` the numbers that they have in `registered`, and returns which of its
// messages it is: the index in the wire format. An error says what it can't hold of `file`: a field
// that is not there, is of another type, or has no place for null.
Result<std::size_t> take_numbers(ProtobufFile& file, const ProtobufFile& registered);

// `schema` with the numbers that its fields have in `file`: protobuf_schema(schema) but for them.
// Null where each is its field's place. Fails where those within arrays, maps and decimals are not
// what the rules above say.
Result<ConnectSchemaPtr> numbered_schema(const ConnectSchema& schema, const ProtobufFile& file);

}  // namespace pgc
