#include "format/connect/protobuf_schema.h"

#include <fmt/format.h>

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
    // `stem` is what names of inner messages begin with. It grows on the way in, so that no message
    // has the name of one around it, which classes of Java can't have.
    ProtobufField field(Scope& scope, std::string name, const std::string& stem,
                        const ConnectSchema& schema);
    std::string list(Scope& scope, const std::string& stem, const ConnectSchema& schema);
    std::string element(Scope& scope, const std::string& stem, const ConnectSchema& schema);
    std::string item(Scope& scope, const std::string& stem, const ConnectSchema& element);
    std::string entry(Scope& scope, const std::string& stem, const ConnectSchema& map);
    std::string decimal(Scope& scope, const ConnectSchema& schema);
    std::string structure(Scope& scope, const std::string& stem, const ConnectSchema& schema);
    std::string plain(Scope& scope, const std::string& stem, const ConnectSchema& schema);
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
        scope.message.fields.push_back(field(scope, names[i], names[i], *schema.fields[i].schema));
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

ProtobufField Builder::field(Scope& scope, std::string name, const std::string& stem,
                             const ConnectSchema& schema) {
    ProtobufField made{.name = std::move(name)};
    if (is_list(schema)) {
        made.repeated = !schema.optional;
        made.type = schema.optional ? list(scope, stem, schema) : element(scope, stem, schema);
        return made;
    }
    made.type = plain(scope, stem, schema);
    // A message that is not there is null already.
    const bool is_message = schema.type == ConnectType::structure || schema.name == kConnectDecimal;
    made.optional = schema.optional && !is_message;
    return made;
}

std::string Builder::plain(Scope& scope, const std::string& stem, const ConnectSchema& schema) {
    if (schema.type == ConnectType::structure) return structure(scope, stem, schema);
    if (schema.name == kConnectDecimal) return decimal(scope, schema);
    return std::string{scalar_type(schema.type)};
}

std::string Builder::list(Scope& scope, const std::string& stem, const ConnectSchema& schema) {
    const auto [name, is_new] = declare(scope, stem + "_List", schema);
    if (!is_new) return name;
    ProtobufMessage message{.name = name};
    Scope inner{message, {"value"}, {}};
    message.fields.push_back({.name = "value", .repeated = true});
    message.fields.back().type = element(inner, stem, schema);
    number(message);
    scope.message.messages.push_back(std::move(message));
    return name;
}

std::string Builder::element(Scope& scope, const std::string& stem, const ConnectSchema& schema) {
    if (schema.type == ConnectType::map) return entry(scope, stem, schema);
    const ConnectSchema& one = *schema.element;
    return is_protobuf_item(one) ? item(scope, stem, one) : plain(scope, stem, one);
}

std::string Builder::item(Scope& scope, const std::string& stem, const ConnectSchema& element) {
    const auto [name, is_new] = declare(scope, stem + "_Item", element);
    if (!is_new) return name;
    ProtobufMessage message{.name = name};
    Scope inner{message, {"value"}, {}};
    message.fields.push_back(field(inner, "value", name, element));
    number(message);
    scope.message.messages.push_back(std::move(message));
    return name;
}

std::string Builder::entry(Scope& scope, const std::string& stem, const ConnectSchema& map) {
    const auto [name, is_new] = declare(scope, stem + "_Entry", map);
    if (!is_new) return name;
    ProtobufMessage message{.name = name};
    Scope inner{message, {"key", "value"}, {}};
    message.fields.push_back(field(inner, "key", name + "_Key", *map.key));
    message.fields.push_back(field(inner, "value", name, *map.element));
    number(message);
    scope.message.messages.push_back(std::move(message));
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

std::string Builder::structure(Scope& scope, const std::string& stem, const ConnectSchema& schema) {
    const auto [name, is_new] =
        declare(scope, schema.name.empty() ? stem + "_Record" : last_part(schema.name), schema);
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
        if (scope.names.contains(name)) continue;
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
