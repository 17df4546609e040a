#include "format/connect/schema.h"

#include <memory>
#include <utility>

namespace pgc {

std::string_view name(ConnectType type) noexcept {
    using enum ConnectType;
    switch (type) {
        case int8: return "int8";
        case int16: return "int16";
        case int32: return "int32";
        case int64: return "int64";
        case float32: return "float";
        case float64: return "double";
        case boolean: return "boolean";
        case string: return "string";
        case bytes: return "bytes";
        case array: return "array";
        case map: return "map";
        case structure: return "struct";
    }
    return "struct";
}

ConnectSchemaPtr schema_of(ConnectType type, bool optional) {
    ConnectSchema schema;
    schema.type = type;
    schema.optional = optional;
    return std::make_shared<const ConnectSchema>(std::move(schema));
}

}  // namespace pgc
