// Follows JsonConverter.asJsonSchema: the kind, what it consists of, then optional, name, version,
// doc, parameters, default; `field` comes last, because a struct adds it to what its field has
// made.
#include "format/connect/json_envelope.h"

#include <fmt/format.h>

#include <string_view>

#include "format/connect/schema_text.h"

namespace pgc {

namespace {

void append_members(std::string& out, const ConnectSchema& schema);

void append_schema(std::string& out, const ConnectSchema& schema) {
    append_members(out, schema);
    out += '}';
}

void append_fields(std::string& out, const ConnectSchema& schema) {
    out += R"(,"fields":[)";
    bool first = true;
    for (const ConnectField& field : schema.fields) {
        if (!first) out += ',';
        first = false;
        append_members(out, *field.schema);
        out += R"(,"field":)";
        append_quoted(out, field.name);
        out += '}';
    }
    out += ']';
}

void append_parts(std::string& out, const ConnectSchema& schema) {
    switch (schema.type) {
        case ConnectType::array:
            out += R"(,"items":)";
            append_schema(out, *schema.element);
            return;
        case ConnectType::map:
            out += R"(,"keys":)";
            append_schema(out, *schema.key);
            out += R"(,"values":)";
            append_schema(out, *schema.element);
            return;
        case ConnectType::structure: append_fields(out, schema); return;
        default: return;
    }
}

void append_text_member(std::string& out, std::string_view member, std::string_view value) {
    if (value.empty()) return;
    out += member;
    append_quoted(out, value);
}

// Without the closing brace.
void append_members(std::string& out, const ConnectSchema& schema) {
    out += R"({"type":")";
    out += name(schema.type);
    out += '"';
    append_parts(out, schema);
    out += schema.optional ? R"(,"optional":true)" : R"(,"optional":false)";
    append_text_member(out, R"(,"name":)", schema.name);
    if (schema.version) out += fmt::format(R"(,"version":{})", *schema.version);
    append_text_member(out, R"(,"doc":)", schema.doc);
    if (!schema.parameters.empty()) {
        out += R"(,"parameters":)";
        append_object(out, schema.parameters);
    }
    if (schema.fallback) {
        out += R"(,"default":)";
        out += schema.fallback->json;
    }
}

}  // namespace

std::string envelope_schema(const ConnectSchema& schema) {
    std::string out;
    append_schema(out, schema);
    return out;
}

std::string envelope_head(const ConnectSchema& schema) {
    std::string out = R"({"schema":)";
    append_schema(out, schema);
    out += R"(,"payload":)";
    return out;
}

}  // namespace pgc
