// Trees of typed fields, built by name, for tests of what is derived from them.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/connect/schema.h"

namespace pgc::test {

inline ConnectSchemaPtr shared(ConnectSchema schema) {
    return std::make_shared<const ConnectSchema>(std::move(schema));
}

inline ConnectSchema required(ConnectType type, std::string name = {}) {
    ConnectSchema schema{.type = type, .name = std::move(name)};
    if (!schema.name.empty()) schema.version = 1;
    return schema;
}

inline ConnectSchema nullable(ConnectType type, std::string name = {}) {
    ConnectSchema schema = required(type, std::move(name));
    schema.optional = true;
    return schema;
}

inline ConnectSchema optional(ConnectSchema schema) {
    schema.optional = true;
    return schema;
}

inline ConnectSchema with_default(ConnectSchema schema, std::string json) {
    schema.fallback = ConnectDefault{std::move(json)};
    return schema;
}

inline ConnectSchema with_doc(ConnectSchema schema, std::string doc) {
    schema.doc = std::move(doc);
    return schema;
}

inline ConnectSchema with_parameters(ConnectSchema schema,
                                     std::vector<std::pair<std::string, std::string>> parameters) {
    schema.parameters = std::move(parameters);
    return schema;
}

inline ConnectSchema array_of(ConnectSchema element) {
    return {.type = ConnectType::array, .element = shared(std::move(element))};
}

inline ConnectSchema map_of(ConnectSchema key, ConnectSchema element) {
    return {.type = ConnectType::map,
            .key = shared(std::move(key)),
            .element = shared(std::move(element))};
}

struct NamedSchema {
    std::string name;
    ConnectSchema schema;
};

inline ConnectSchema struct_of(std::string name, const std::vector<NamedSchema>& fields) {
    ConnectSchema schema{.name = std::move(name)};
    for (const NamedSchema& field : fields) {
        schema.fields.push_back({field.name, shared(field.schema)});
    }
    return schema;
}

// numeric(precision, scale) under decimal.handling.mode=precise.
inline ConnectSchema decimal(std::string scale, std::string precision) {
    return with_parameters(
        required(ConnectType::bytes, "org.apache.kafka.connect.data.Decimal"),
        {{"scale", std::move(scale)}, {"connect.decimal.precision", std::move(precision)}});
}

// A table and its envelope in the manner of Debezium, smaller.
inline ConnectSchema row_of_users(std::string name = "shop.public.users.Value") {
    return struct_of(
        std::move(name),
        {{"id", with_default(required(ConnectType::int32), "0")},
         {"name", with_doc(nullable(ConnectType::string), "as \"given\"")},
         {"born", nullable(ConnectType::int32, "io.debezium.time.Date")},
         {"balance", optional(decimal("2", "10"))},
         {"kind",
          with_default(with_parameters(nullable(ConnectType::string, "io.debezium.data.Enum"),
                                       {{"allowed", "new,old"}}),
                       R"("new")")}});
}

inline ConnectSchema envelope_of_users() {
    ConnectSchema envelope =
        struct_of("shop.public.users.Envelope", {{"before", optional(row_of_users())},
                                                 {"after", optional(row_of_users())},
                                                 {"op", required(ConnectType::string)},
                                                 {"ts_ms", nullable(ConnectType::int64)}});
    envelope.version = 2;
    return envelope;
}

}  // namespace pgc::test
