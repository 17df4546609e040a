// Follows AvroData.fromConnectSchema, and the order in which Avro's Java library writes what that
// makes: type, what it consists of, then the annotations as they were added.
#include "format/connect/avro_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "format/connect/logical_types.h"
#include "format/connect/same_data.h"
#include "format/connect/schema_text.h"
#include "format/json/number.h"

namespace pgc {

namespace {

constexpr std::string_view kOwnSpace = "io.confluent.connect.avro";
constexpr std::string_view kMapEntry = "MapEntry";
constexpr std::string_view kDefaultPrecision = "64";

struct AvroName {
    std::string space;
    std::string name;

    std::string full() const { return space.empty() ? name : space + "." + name; }
};

bool is_primitive(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 8> names{"null",  "boolean", "int",   "long",
                                                    "float", "double",  "bytes", "string"};
    return std::ranges::find(names, name) != names.end();
}

// "shop.public.users.Value" → "shop.public.users" and "Value", each part scrubbed.
AvroName split_name(std::string_view full) {
    AvroName split;
    for (std::size_t at = 0; at <= full.size();) {
        const std::size_t dot = std::min(full.find('.', at), full.size());
        if (at > 0) split.space += (split.space.empty() ? "" : ".") + split.name;
        split.name = scrubbed_name(full.substr(at, dot - at));
        at = dot + 1;
    }
    // Nor may a record be called like one of these in a space of its own: readers take the short
    // form of its name for the primitive type.
    if (is_primitive(split.name)) split.name += '_';
    return split;
}

std::string_view avro_type(ConnectType type) noexcept {
    using enum ConnectType;
    switch (type) {
        case int8:
        case int16:
        case int32: return "int";
        case int64: return "long";
        case float32: return "float";
        case float64: return "double";
        case boolean: return "boolean";
        case string: return "string";
        case bytes: return "bytes";
        case array:
        case map:
        case structure: break;
    }
    return "record";
}

// A default as Avro's schemas write it; nothing where they can't.
std::optional<std::string> avro_default(const ConnectSchema& schema) {
    if (!schema.fallback) return std::nullopt;
    std::string text;
    switch (schema.type) {
        case ConnectType::bytes: append_quoted_latin1(text, schema.fallback->json); return text;
        case ConnectType::float32:
        case ConnectType::float64:
            if (!is_json_number(schema.fallback->json)) return std::nullopt;
            break;
        case ConnectType::array:
            if (schema.element->type == ConnectType::bytes) return std::nullopt;
            break;
        case ConnectType::map:
            if (!is_avro_map(schema) || schema.element->type == ConnectType::bytes) {
                return std::nullopt;
            }
            break;
        case ConnectType::structure: return std::nullopt;
        default: break;
    }
    return schema.fallback->json;
}

void append_property(std::string& out, std::string_view key, std::string_view value) {
    out += ',';
    append_quoted(out, key);
    out += ':';
    append_quoted(out, value);
}

std::string_view parameter_or(const ConnectSchema& schema, std::string_view key,
                              std::string_view otherwise) {
    const std::string* const value = find_parameter(schema, key);
    return value != nullptr ? *value : otherwise;
}

void append_decimal(std::string& out, const ConnectSchema& schema) {
    out += fmt::format(R"(,"scale":{},"precision":{})", parameter_or(schema, kDecimalScale, "0"),
                       parameter_or(schema, kDecimalPrecision, kDefaultPrecision));
}

int to_int(std::string_view digits) noexcept {
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

// Avro's decimals have no negative scale (thousands) and none beyond their precision (all digits
// after zeros). AvroConverter writes them all the same, and Java passes over them; other readers
// refuse the whole schema, so these are bytes with annotations.
bool is_avro_decimal(const ConnectSchema& schema) {
    const int scale = to_int(parameter_or(schema, kDecimalScale, "0"));
    return scale >= 0 &&
           scale <= to_int(parameter_or(schema, kDecimalPrecision, kDefaultPrecision));
}

std::string_view avro_logical_type(const ConnectSchema& schema) {
    if (schema.name == kConnectDecimal) return is_avro_decimal(schema) ? "decimal" : "";
    if (schema.name == kConnectTime) return "time-millis";
    if (schema.name == kConnectTimestamp) return "timestamp-millis";
    if (schema.name == kConnectDate) return "date";
    return {};
}

// The annotations of a type, each after a comma.
std::string annotations(const ConnectSchema& schema) {
    std::string out;
    const std::string_view logical = avro_logical_type(schema);
    if (schema.name == kConnectDecimal) append_decimal(out, schema);
    if (!schema.doc.empty()) append_property(out, "connect.doc", schema.doc);
    if (schema.version) out += fmt::format(R"(,"connect.version":{})", *schema.version);
    if (!schema.parameters.empty()) {
        out += R"(,"connect.parameters":)";
        append_object(out, schema.parameters);
    }
    if (const auto fallback = avro_default(schema)) {
        out += R"(,"connect.default":)";
        out += *fallback;
    }
    if (!schema.name.empty()) append_property(out, "connect.name", schema.name);
    if (schema.type == ConnectType::int8 || schema.type == ConnectType::int16) {
        append_property(out, "connect.type", name(schema.type));
    }
    if (!logical.empty()) append_property(out, "logicalType", logical);
    for (const auto& [key, value] : schema.parameters) {
        if (key.starts_with("avro")) append_property(out, key, value);
    }
    return out;
}

class AvroText {
public:
    explicit AvroText(AvroDocs docs) : docs_(docs) {}

    void type(const ConnectSchema& schema) {
        if (!schema.optional) return base(schema);
        const bool null_is_last = avro_null_is_last(schema);
        out_ += null_is_last ? "[" : R"(["null",)";
        base(schema);
        out_ += null_is_last ? R"(,"null"])" : "]";
    }

    Result<std::string> finish() && {
        if (!fault_.empty()) return std::unexpected(stop(Error::Category::data, fault_));
        return std::move(out_);
    }

private:
    // The type without null.
    void base(const ConnectSchema& schema);
    void map(const ConnectSchema& schema);
    void record(const ConnectSchema& schema);
    void fields(const ConnectSchema& schema);
    void field(std::string_view name, const ConnectSchema& schema);
    void default_of(const ConnectSchema& schema);
    void repeated_parameters(const ConnectSchema& schema);
    AvroName name_of(const ConnectSchema& schema);
    // Begins a record, or refers to the one that has this name. False: nothing is to follow.
    bool open(const AvroName& name, const ConnectSchema& schema);
    void doc(const ConnectSchema& schema) {
        if (docs_ == AvroDocs::attributes && !schema.doc.empty()) {
            append_property(out_, "doc", schema.doc);
        }
    }

    AvroDocs docs_;
    std::string out_;
    std::string space_;  // of the record that is being written
    std::map<std::string, const ConnectSchema*> records_;
    std::map<std::string, const ConnectSchema*> unnamed_;
    std::set<std::string> field_types_;
    std::string fault_;
};

void AvroText::base(const ConnectSchema& schema) {
    switch (schema.type) {
        case ConnectType::array:
            out_ += R"({"type":"array","items":)";
            type(*schema.element);
            out_ += annotations(schema) + "}";
            return;
        case ConnectType::map: return map(schema);
        case ConnectType::structure: return record(schema);
        default: break;
    }
    const std::string_view type = avro_type(schema.type);
    const std::string properties = annotations(schema);
    out_ += properties.empty() ? fmt::format(R"("{}")", type)
                               : fmt::format(R"({{"type":"{}"{}}})", type, properties);
}

void AvroText::map(const ConnectSchema& schema) {
    if (is_avro_map(schema)) {
        out_ += R"({"type":"map","values":)";
        type(*schema.element);
        out_ += annotations(schema) + "}";
        return;
    }
    out_ += R"({"type":"array","items":)";
    const bool named = !schema.name.empty();
    const AvroName name =
        named ? split_name(schema.name) : AvroName{std::string{kOwnSpace}, std::string{kMapEntry}};
    if (open(name, schema)) {
        const std::string outer = std::exchange(space_, name.space);
        out_ += R"(,"fields":[)";
        field("key", *schema.key);
        out_ += ',';
        field("value", *schema.element);
        out_ += ']';
        if (named) append_property(out_, "connect.internal.type", kMapEntry);
        out_ += '}';
        space_ = outer;
    }
    out_ += annotations(schema) + "}";
}

void AvroText::record(const ConnectSchema& schema) {
    const AvroName name = name_of(schema);
    if (!open(name, schema)) return;
    doc(schema);
    const std::string outer = std::exchange(space_, name.space);
    out_ += R"(,"fields":[)";
    fields(schema);
    out_ += ']';
    out_ += annotations(schema) + "}";
    space_ = outer;
}

AvroName AvroText::name_of(const ConnectSchema& schema) {
    if (!schema.name.empty()) return split_name(schema.name);
    for (const auto& [name, known] : unnamed_) {
        if (holds_the_same(*known, schema)) return {std::string{kOwnSpace}, name};
    }
    std::string name = "ConnectDefault";
    if (!unnamed_.empty()) name += std::to_string(unnamed_.size() + 1);
    unnamed_.emplace(name, &schema);
    return {std::string{kOwnSpace}, name};
}

bool AvroText::open(const AvroName& name, const ConnectSchema& schema) {
    const std::string full = name.full();
    const auto [known, is_new] = records_.emplace(full, &schema);
    if (!is_new) {
        if (!holds_the_same(*known->second, schema)) {
            fault_ = fmt::format("two different structures are both called {} in Avro", full);
        }
        append_quoted(out_, name.space == space_ ? name.name : full);
        return false;
    }
    out_ += R"({"type":"record")";
    append_property(out_, "name", name.name);
    if (name.space != space_) append_property(out_, "namespace", name.space);
    return true;
}

void AvroText::fields(const ConnectSchema& schema) {
    std::map<std::string, std::string> names;
    for (const ConnectField& each : schema.fields) {
        const std::string scrubbed = scrubbed_name(each.name);
        const auto [other, is_new] = names.emplace(scrubbed, each.name);
        if (!is_new) {
            fault_ = fmt::format("the fields \"{}\" and \"{}\" of {} are both called {} in Avro",
                                 other->second, each.name, schema.name, scrubbed);
        }
        if (names.size() > 1 || !is_new) out_ += ',';
        field(scrubbed, *each.schema);
    }
}

void AvroText::field(std::string_view name, const ConnectSchema& schema) {
    out_ += R"({"name":)";
    append_quoted(out_, name);
    // Before the type: records within it may have the same name.
    const bool is_known = !schema.name.empty() && !field_types_.insert(schema.name).second;
    out_ += R"(,"type":)";
    type(schema);
    doc(schema);
    default_of(schema);
    if (is_known) repeated_parameters(schema);
    out_ += '}';
}

void AvroText::default_of(const ConnectSchema& schema) {
    if (const auto fallback = avro_default(schema)) {
        out_ += R"(,"default":)";
        out_ += *fallback;
    } else if (schema.optional && !avro_null_is_last(schema)) {
        out_ += R"(,"default":null)";
    }
}

// A record that is only referred to has no place for annotations: its parameters stand at the
// field.
void AvroText::repeated_parameters(const ConnectSchema& schema) {
    if (schema.type != ConnectType::structure || schema.parameters.empty()) return;
    out_ += R"(,"connect.parameters":)";
    append_object(out_, schema.parameters);
}

}  // namespace

std::string avro_full_name(std::string_view name) {
    return split_name(name).full();
}

Result<std::string> avro_schema(const ConnectSchema& schema, AvroDocs docs) {
    AvroText text{docs};
    text.type(schema);
    return std::move(text).finish();
}

}  // namespace pgc
