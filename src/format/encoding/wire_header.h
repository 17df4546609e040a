// What stands before a key or value whose schema a Confluent-compatible registry holds: a zero, the
// number of the schema, and for Protobuf which message of its file it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pgc {

// Avro and JSON Schema.
std::string wire_header(std::uint32_t schema_id);

// Requires: the message stands at the top of its file, as the one at `message`.
std::string protobuf_wire_header(std::uint32_t schema_id, std::size_t message);

}  // namespace pgc
