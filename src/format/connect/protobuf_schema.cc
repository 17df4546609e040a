#include "format/connect/protobuf_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "format/connect/avro_schema.h"
#include "format/connect/logical_types.h"
#include "format/connect/same_data.h"

namespace pgc {

namespace {

std::string_view scalar_type(ConnectType type) noexcept {
    using enum ConnectType;
    switch (type) {
        case int8:
        case int16:
        case int32: return "int32";
        case int64: return "int64";
        case float32: return "float";
        case float64: return "double";
        case boolean: return "bool";
        case string: return "string";
        case bytes:
        case array:
        case map:
        case structure: break;
    }
    return "bytes";
}

// What stands for something else where the type of a field is expected: a composite type of
// PostgreSQL may be called so.
bool is_word_of_the_language(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 37> words{
        "bool",     "bytes",    "double",   "enum",     "export",  "extend",   "extensions",
        "fixed32",  "fixed64",  "float",    "group",    "import",  "int32",    "int64",
        "local",    "map",      "message",  "oneof",    "option",  "optional", "package",
        "public",   "repeated", "required", "reserved", "returns", "rpc",      "service",
        "sfixed32", "sfixed64", "sint32",   "sint64",   "stream",  "string",   "syntax",
        "uint32",   "uint64"};
    return std::ranges::binary_search(words, name);
}

// "shop.public.users.Value" → "Value"
std::string last_part(std::string_view name) {
    return scrubbed_name(name.substr(name.rfind('.') + 1));
}

std::string package_of(std::string_view name) {
    std::string package;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t dot = name.find('.', at);
        if (dot == std::string_view::npos) break;
        package += (package.empty() ? "" : ".") + scrubbed_name(name.substr(at, dot - at));
        at = dot + 1;
    }
    return package;
}

bool is_message(const ConnectSchema& schema) noexcept {
    return schema.type == ConnectType::structure || schema.type == ConnectType::array ||
           schema.type == ConnectType::map || schema.name == kConnectDecimal;
}

// What messages of lists and entries are called by: "Int32", "Point", "StringList".
std::string stem_of(const ConnectSchema& schema) {
    std::string stem;
    switch (schema.type) {
        case ConnectType::array: return stem_of(*schema.element) + "List";
        case ConnectType::map: return stem_of(*schema.key) + stem_of(*schema.element) + "Map";
        case ConnectType::structure:
            stem = schema.name.empty() ? "Record" : last_part(schema.name);
            break;
        default:
            stem = schema.name == kConnectDecimal ? "Decimal" : scalar_type(schema.type);
            break;
    }
    if (stem.front() >= 'a' && stem.front() <= 'z') stem.front() -= 'a' - 'A';
    return stem;
}

// Names that are one name in Protobuf's JSON: "user_id" and "userId".
std::string json_like(std::string_view name) {
    std::string like;
    for (const char c : name) {
        if (c == '_') continue;
        like += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return like;
}

// A message while it is made, and what its inner messages describe.
struct Scope {
    ProtobufMessage& message;
    std::set<std::string> names;  // of its fields, which inner messages can't have
    std::map<std::string, const ConnectSchema*> described;
};

class Builder {
public:
    void fields(Scope& scope, const ConnectSchema& schema);

    std::string fault;

private:
    std::vector<std::string> field_names(const ConnectSchema& schema);
    // `owner`: the field it is of, for structures without a name of their own.
    ProtobufField field(Scope& scope, std::string name, const ConnectSchema& schema);
    std::string type(Scope& scope, const std::string& owner, const ConnectSchema& schema);
    std::string list(Scope& scope, const ConnectSchema& array);
    std::string map(Scope& scope, const ConnectSchema& map);
    std::string decimal(Scope& scope, const ConnectSchema& schema);
    std::string structure(Scope& scope, const std::string& owner, const ConnectSchema& schema);
    // A name for an inner message that nothing else has; and whether it is to be declared.
    std::pair<std::string, bool> declare(Scope& scope, std::string name,
                                         const ConnectSchema& described);
};

void number(ProtobufMessage& message) {
    std::uint32_t next = 1;
    for (ProtobufField& field : message.fields) field.number = next++;
}

void Builder::fields(Scope& scope, const ConnectSchema& schema) {
    const std::vector<std::string> names = field_names(schema);
    scope.names.insert(names.begin(), names.end());
    for (std::size_t i = 0; i < names.size(); ++i) {
        scope.message.fields.push_back(field(scope, names[i], *schema.fields[i].schema));
    }
    number(scope.message);
}

std::vector<std::string> Builder::field_names(const ConnectSchema& schema) {
    std::vector<std::string> names;
    std::map<std::string, std::string> scrubbed;
    std::set<std::string> like;
    for (const ConnectField& field : schema.fields) {
        std::string name = scrubbed_name(field.name);
        const auto [other, is_new] = scrubbed.emplace(name, field.name);
        if (!is_new) {
            fault = fmt::format("the fields \"{}\" and \"{}\" of {} are both called {} in Protobuf",
                                other->second, field.name, schema.name, name);
        }
        const std::string own = name;
        for (int n = 2; !like.insert(json_like(name)).second; ++n) {
            name = fmt::format("{}_{}", own, n);
        }
        names.push_back(std::move(name));
    }
    return names;
}

ProtobufField Builder::field(Scope& scope, std::string name, const ConnectSchema& schema) {
    ProtobufField made{.name = std::move(name)};
    made.type = type(scope, made.name, schema);
    // A message that is not there is null already.
    made.optional = schema.optional && !is_message(schema);
    return made;
}

std::string Builder::type(Scope& scope, const std::string& owner, const ConnectSchema& schema) {
    switch (schema.type) {
        case ConnectType::array: return list(scope, schema);
        case ConnectType::map: return map(scope, schema);
        case ConnectType::structure: return structure(scope, owner, schema);
        default: break;
    }
    return schema.name == kConnectDecimal ? decimal(scope, schema)
                                          : std::string{scalar_type(schema.type)};
}

std::string Builder::list(Scope& scope, const ConnectSchema& array) {
    // Whether elements may be null makes no difference to the message.
    const auto [name, is_new] = declare(scope, stem_of(array), *array.element);
    if (!is_new) return name;
    const std::string item = stem_of(*array.element) + "Item";
    ProtobufMessage inner{.name = item};
    Scope within{inner, {"value"}, {}};
    inner.fields.push_back(field(within, "value", *array.element));
    inner.fields.back().optional = !is_message(*array.element);
    number(inner);
    scope.message.messages.push_back(
        {.name = name,
         .fields = {{.name = "value", .type = item, .repeated = true, .number = 1}},
         .messages = {std::move(inner)}});
    return name;
}

std::string Builder::map(Scope& scope, const ConnectSchema& map) {
    const std::string stem = stem_of(*map.key) + stem_of(*map.element);
    const auto [name, is_new] = declare(scope, stem + "Map", map);
    if (!is_new) return name;
    ProtobufMessage inner{.name = stem + "Entry"};
    Scope within{inner, {"key", "value"}, {}};
    inner.fields.push_back(field(within, "key", *map.key));
    inner.fields.push_back(field(within, "value", *map.element));
    inner.fields.back().optional = !is_message(*map.element);
    number(inner);
    scope.message.messages.push_back(
        {.name = name,
         .fields = {{.name = "value", .type = inner.name, .repeated = true, .number = 1}},
         .messages = {inner}});
    return name;
}

std::string Builder::decimal(Scope& scope, const ConnectSchema& schema) {
    static const ConnectSchema any{.type = ConnectType::bytes};
    const auto [name, is_new] = declare(scope, last_part(schema.name), any);
    if (is_new) {
        scope.message.messages.push_back(
            {.name = name,
             .fields = {{.name = "value", .type = "bytes", .number = 1},
                        {.name = "precision", .type = "uint32", .number = 2},
                        {.name = "scale", .type = "int32", .number = 3}}});
    }
    return name;
}

std::string Builder::structure(Scope& scope, const std::string& owner,
                               const ConnectSchema& schema) {
    const auto [name, is_new] =
        declare(scope, schema.name.empty() ? owner + "_Record" : last_part(schema.name), schema);
    if (!is_new) return name;
    ProtobufMessage message{.name = name};
    Scope inner{message, {}, {}};
    fields(inner, schema);
    scope.message.messages.push_back(std::move(message));
    return name;
}

std::pair<std::string, bool> Builder::declare(Scope& scope, std::string name,
                                              const ConnectSchema& described) {
    for (;; name += "Message") {
        if (scope.names.contains(name) || is_word_of_the_language(name)) continue;
        const auto [known, is_new] = scope.described.emplace(name, &described);
        if (is_new) return {name, true};
        if (holds_the_same(*known->second, described)) return {name, false};
    }
}

}  // namespace

Result<ProtobufFile> protobuf_schema(const ConnectSchema& schema) {
    if (schema.type != ConnectType::structure) {
        return std::unexpected(
            stop(Error::Category::data,
                 "only a structure can be a message of Protobuf, not a value alone"));
    }
    ProtobufFile file{.package = package_of(schema.name)};
    ProtobufMessage& root = file.messages.emplace_back();
    root.name = schema.name.empty() ? "ConnectDefault1" : last_part(schema.name);
    Builder builder;
    Scope scope{root, {}, {}};
    builder.fields(scope, schema);
    if (!builder.fault.empty()) {
        return std::unexpected(stop(Error::Category::data, std::move(builder.fault)));
    }
    return file;
}

}  // namespace pgc
