// Follows JsonSchemaData.rawSchemaFromConnectSchema, and the order in which the library below it
// (everit's) writes what that makes: type, title, description, default, what Connect adds, then
// what the type consists of.
#include "format/connect/json_schema.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <vector>

#include "format/connect/java_order.h"
#include "format/connect/schema_text.h"
#include "format/json/number.h"

namespace pgc {

namespace {

// The place of a field in its structure; what is not a field has none.
using Index = std::optional<std::size_t>;

std::string_view json_type(ConnectType type) noexcept {
    using enum ConnectType;
    switch (type) {
        case int8:
        case int16:
        case int32:
        case int64: return "integer";
        case float32:
        case float64: return "number";
        case boolean: return "boolean";
        case string:
        case bytes: return "string";
        case array: return "array";
        case map:
        case structure: break;
    }
    return "object";
}

// What connect.type says where JSON's own type is not enough.
std::string_view connect_type(ConnectType type) noexcept {
    using enum ConnectType;
    switch (type) {
        case int8:
        case int16:
        case int32:
        case int64:
        case bytes: return name(type);
        case map: return "map";
        case float32: return "float32";
        case float64: return "float64";
        case boolean:
        case string:
        case array:
        case structure: break;
    }
    return {};
}

bool has_string_keys(const ConnectSchema& map) noexcept {
    return map.key->type == ConnectType::string && !map.key->optional;
}

// `1.50` → `1.5`, `2.0` → `2`: numbers pass through a library that shortens them.
std::string_view shortened(std::string_view number) noexcept {
    if (!is_json_number(number) || number.find('.') == std::string_view::npos ||
        number.find_first_of("eE") != std::string_view::npos) {
        return number;
    }
    const std::size_t last = number.find_last_not_of('0');
    return number.substr(0, number[last] == '.' ? last : last + 1);
}

// NaN and infinities are no numbers of JSON.
bool has_default(const ConnectSchema& schema) noexcept {
    const bool is_real = schema.type == ConnectType::float32 || schema.type == ConnectType::float64;
    return schema.fallback && (!is_real || is_json_number(schema.fallback->json));
}

struct Property {
    std::string_view key;
    std::string value;
};

std::string ordered_parameters(const ConnectSchema& schema) {
    constexpr std::string_view own = "io.confluent.connect.json";
    std::vector<std::string_view> keys;
    std::vector<std::pair<std::string, std::string>> kept;
    for (const auto& parameter : schema.parameters) {
        if (!parameter.first.starts_with(own)) kept.push_back(parameter);
    }
    if (kept.empty()) return {};
    for (const auto& [key, value] : kept) keys.push_back(key);
    std::vector<std::pair<std::string, std::string>> ordered;
    for (const std::size_t at : java_order(keys, {JavaMap::grown, JavaMap::sized})) {
        ordered.push_back(kept[at]);
    }
    std::string text;
    append_object(text, ordered);
    return text;
}

// What Connect adds to a type, each before a comma.
void append_additions(std::string& out, const std::vector<Property>& added) {
    std::vector<std::string_view> keys;
    for (const Property& property : added) keys.push_back(property.key);
    for (const std::size_t at : java_order(keys, {JavaMap::grown, JavaMap::copied})) {
        out += fmt::format(R"("{}":{},)", added[at].key, added[at].value);
    }
}

std::vector<Property> additions(const ConnectSchema& schema, Index index) {
    std::vector<Property> added;
    if (const std::string_view type = connect_type(schema.type); !type.empty()) {
        added.push_back({"connect.type", fmt::format(R"("{}")", type)});
    }
    if (schema.version) added.push_back({"connect.version", std::to_string(*schema.version)});
    if (std::string parameters = ordered_parameters(schema); !parameters.empty()) {
        added.push_back({"connect.parameters", std::move(parameters)});
    }
    if (index) added.push_back({"connect.index", std::to_string(*index)});
    return added;
}

class JsonSchemaText {
public:
    void write(const ConnectSchema& schema, Index index) {
        if (!schema.optional) return plain(schema, index);
        out_ += '{';
        if (index) out_ += fmt::format(R"("connect.index":{},)", *index);
        out_ += R"("oneOf":[{"type":"null"},)";
        plain(schema, std::nullopt);
        out_ += "]}";
    }

    std::string finish() && { return std::move(out_); }

private:
    // The type without null.
    void plain(const ConnectSchema& schema, Index index);
    void about(const ConnectSchema& schema, Index index);
    void contents(const ConnectSchema& schema);
    void entries(const ConnectSchema& map);
    void properties(const ConnectSchema& schema);
    void text_member(std::string_view key, std::string_view text) {
        if (text.empty()) return;
        out_ += fmt::format(R"("{}":)", key);
        append_quoted(out_, text);
        out_ += ',';
    }
    // Members end with a comma; the last of an object does not.
    void close() { out_.back() = '}'; }

    std::string out_;
};

void JsonSchemaText::plain(const ConnectSchema& schema, Index index) {
    const bool is_list = schema.type == ConnectType::map && !has_string_keys(schema);
    const std::string_view type = is_list ? "array" : json_type(schema.type);
    out_ += '{';
    // Booleans alone have their type after the rest.
    if (schema.type == ConnectType::boolean) about(schema, index);
    out_ += fmt::format(R"("type":"{}",)", type);
    if (schema.type != ConnectType::boolean) about(schema, index);
    contents(schema);
    close();
}

void JsonSchemaText::about(const ConnectSchema& schema, Index index) {
    text_member("title", schema.name);
    text_member("description", schema.doc);
    if (has_default(schema)) {
        out_ += fmt::format(R"("default":{},)", shortened(schema.fallback->json));
    }
    append_additions(out_, additions(schema, index));
}

void JsonSchemaText::contents(const ConnectSchema& schema) {
    switch (schema.type) {
        case ConnectType::array:
            out_ += R"("items":)";
            write(*schema.element, std::nullopt);
            out_ += ',';
            return;
        case ConnectType::map:
            if (!has_string_keys(schema)) return entries(schema);
            out_ += R"("additionalProperties":)";
            write(*schema.element, std::nullopt);
            out_ += ',';
            return;
        case ConnectType::structure: return properties(schema);
        default: return;
    }
}

void JsonSchemaText::entries(const ConnectSchema& map) {
    // In the order of a HashMap, too.
    out_ += R"("items":{"type":"object","properties":{"value":)";
    write(*map.element, 1);
    out_ += R"(,"key":)";
    write(*map.key, 0);
    out_ += "}},";
}

void JsonSchemaText::properties(const ConnectSchema& schema) {
    if (schema.fields.empty()) return;
    std::vector<std::string_view> names;
    for (const ConnectField& field : schema.fields) names.push_back(field.name);
    out_ += R"("properties":{)";
    for (const std::size_t at : java_order(names, {JavaMap::grown})) {
        append_quoted(out_, names[at]);
        out_ += ':';
        write(*schema.fields[at].schema, at);
        out_ += ',';
    }
    close();
    out_ += ',';
}

}  // namespace

std::string json_schema(const ConnectSchema& schema) {
    JsonSchemaText text;
    text.write(schema, std::nullopt);
    return std::move(text).finish();
}

}  // namespace pgc
