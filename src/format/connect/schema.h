// What a message holds, in the words of Kafka Connect, which Debezium's consumers know: a tree of
// typed fields, some with the name of a logical type.
//
// A format describes its messages by such trees, one for a version of a table; an encoding derives
// from them what it has to announce: the envelope of JSON with schemas, a schema of Avro, Protobuf
// or JSON Schema. Immutable once built, shared by relations.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgc {

enum class ConnectType : std::uint8_t {
    int8,
    int16,
    int32,
    int64,
    float32,
    float64,
    boolean,
    string,
    bytes,
    array,      // of ConnectSchema::element
    map,        // from ConnectSchema::key to ConnectSchema::element
    structure,  // of ConnectSchema::fields
};

// As the envelope of JSON writes it: "int32", "struct", "double".
std::string_view name(ConnectType type) noexcept;

struct ConnectSchema;
using ConnectSchemaPtr = std::shared_ptr<const ConnectSchema>;

struct ConnectField {
    std::string name;
    ConnectSchemaPtr schema;
    std::uint32_t number = 0;  // in Protobuf; 0: by its place, from 1
};

// The value a field has where none is written.
struct ConnectDefault {
    std::string json;  // as JSON writes it in a message: `5`, `"new"`, `"AfQ="`
};

struct ConnectSchema {
    ConnectType type = ConnectType::structure;
    bool optional = false;
    std::string name;  // of the logical type, or of the structure: "io.debezium.time.Date"
    std::optional<int> version;
    std::vector<std::pair<std::string, std::string>> parameters;  // in their order
    std::optional<ConnectDefault> fallback;
    std::string doc;  // a column's or table's comment
    ConnectSchemaPtr key;
    ConnectSchemaPtr element;
    std::vector<ConnectField> fields;
};

// Of a type alone, with nothing else said of it.
ConnectSchemaPtr schema_of(ConnectType type, bool optional = false);

}  // namespace pgc
