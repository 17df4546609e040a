// The schema accepts what the program accepts: asked of documents, by a reader of its own.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "config/reference.h"
#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::IsEmpty;
using Json = nlohmann::json;

bool has_type(const std::string& type, const Json& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    ADD_FAILURE() << "a type nobody knows: " << type;
    return false;
}

bool accepts(const Json& schema, const Json& value);

bool accepts_members(const Json& schema, const Json& value) {
    for (const Json& name : schema.value("required", Json::array())) {
        if (!value.contains(name.get<std::string>())) return false;
    }
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json(true));
    return std::ranges::all_of(value.items(), [&](const auto& member) {
        if (properties.contains(member.key())) {
            return accepts(properties[member.key()], member.value());
        }
        return others.is_boolean() ? others.get<bool>() : accepts(others, member.value());
    });
}

bool accepts_number(const Json& schema, const Json& value) {
    return (!schema.contains("minimum") || value >= schema["minimum"]) &&
           (!schema.contains("maximum") || value <= schema["maximum"]);
}

bool accepts_items(const Json& schema, const Json& value) {
    return value.size() <= schema.value("maxItems", value.size()) &&
           std::ranges::all_of(value, [&](const Json& item) {
               return accepts(schema.value("items", Json::object()), item);
           });
}

std::ptrdiff_t accepted_by(const Json& schemas, const Json& value) {
    return std::ranges::count_if(schemas,
                                 [&](const Json& schema) { return accepts(schema, value); });
}

// The only pattern there is: of a text with a reference.
bool has_reference(const std::string& text) {
    return text.find("${env:") != std::string::npos || text.find("${file:") != std::string::npos;
}

// Of JSON Schema the keywords that ours uses.
bool accepts(const Json& schema, const Json& value) {
    static const std::set<std::string> known{
        "$schema", "title",    "description", "default",    "writeOnly",
        "type",    "enum",     "const",       "anyOf",      "oneOf",
        "pattern", "minimum",  "maximum",     "properties", "additionalProperties",
        "items",   "maxItems", "required"};
    for (const auto& member : schema.items()) {
        EXPECT_TRUE(known.contains(member.key())) << member.key();
    }
    if (schema.contains("type")) {
        const Json types = schema["type"].is_array() ? schema["type"] : Json{schema["type"]};
        if (std::ranges::none_of(types, [&](const Json& type) {
                return has_type(type.get<std::string>(), value);
            })) {
            return false;
        }
    }
    if (schema.contains("enum") &&
        std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
        return false;
    }
    if (schema.contains("const") && schema["const"] != value) return false;
    if (schema.contains("anyOf") && accepted_by(schema["anyOf"], value) == 0) return false;
    if (schema.contains("oneOf") && accepted_by(schema["oneOf"], value) != 1) return false;
    if (schema.contains("pattern") && value.is_string() &&
        !has_reference(value.get<std::string>())) {
        return false;
    }
    if (value.is_object()) return accepts_members(schema, value);
    if (value.is_array()) return accepts_items(schema, value);
    return !value.is_number() || accepts_number(schema, value);
}

class SchemaTest : public ConfigTest {
protected:
    SchemaTest() {
        give_required();
        environment["HALF"] = "50";
        environment["WORD"] = "hash";
        environment["TEXT"] = "a,b";
        write("/run/salt", "s");
    }

    // A file that is JSON is YAML too.
    void expect_the_same(const std::string& text, bool accepted) {
        file("a.yaml", text);
        EXPECT_EQ(errors().empty(), accepted) << text << ::testing::PrintToString(errors());
        EXPECT_EQ(accepts(schema_, Json::parse(text)), accepted) << text;
    }
    void expect_the_same_of_transform(const std::string& transform, bool accepted) {
        expect_the_same("{\"transforms\": [" + transform + "]}", accepted);
    }

private:
    const Json schema_ = Json::parse(json_schema(options));
};

TEST_F(SchemaTest, AcceptsWhatTheProgramAccepts) {
    for (
        const std::string text :
        {R"({})", R"({"transforms": []})", R"({"postgres": null})",
         R"({"name": 5, "sink": "discard", "postgres": {"port": 1, "password": true}})",
         R"({"postgres": {"port": "${env:HALF}"}, "source": {"tables": {"include": "${env:TEXT}"}}})",
         R"({"logging": {"modules": {"a": "info"}}, "kafka": {"properties": {"a.b": 1}}})"}) {
        expect_the_same(text, true);
    }
}

TEST_F(SchemaTest, RefusesWhatTheProgramRefuses) {
    for (const std::string text :
         {R"({"transform": []})", R"({"sink": "off"})", R"({"postgres": {"port": 0}})",
          R"({"postgres": {"port": "1"}})", R"({"source": {"two_phase": "maybe"}})",
          R"({"source": {"tables": {"include": "a"}}})", R"({"transforms": {}})",
          R"({"transforms": "${env:TEXT}"})", R"({"logging": {"modules": {"a": "loud"}}})"}) {
        expect_the_same(text, false);
    }
}

TEST_F(SchemaTest, AcceptsTheElementsThatTheProgramAccepts) {
    for (
        const std::string transform :
        {R"({"type": "drop"})", R"({"type": "drop", "tables": {"include": ["a"]}})",
         R"({"type": "drop", "tables": null})", R"({"type": "mask", "columns": ["a"]})",
         R"({"columns": "${env:TEXT}", "type": "mask", "length": "${env:HALF}", "method": "truncate"})",
         R"({"type": "mask", "columns": ["a"], "method": "${env:WORD}", "salt": "${file:/run/salt}"})",
         R"({"type": "route", "cases": [{"topic": "a"}, {"topic": "b", "when": {"c": 1}}]})"}) {
        expect_the_same_of_transform(transform, true);
    }
}

TEST_F(SchemaTest, RefusesTheElementsThatTheProgramRefuses) {
    for (
        const std::string transform :
        {R"({})", R"(null)", R"("drop")", R"(["drop"])", R"({"type": "dorp"})", R"({"type": null})",
         R"({"type": "${env:WORD}"})", R"({"type": "mask"})",
         R"({"type": "drop", "columns": ["a"]})", R"({"type": "drop", "table": {}})",
         R"({"type": "drop", "tables": {"in": []}})",
         R"({"type": "mask", "columns": ["a"], "length": 101})",
         R"({"type": "mask", "columns": "a"})", R"({"type": "route", "cases": {}})",
         R"({"type": "route", "cases": [{"when": {}}]})",
         R"({"type": "route", "cases": [{"topic": "a", "type": "b"}]})",
         R"({"type": "route", "cases": [{"topic": "a"}, {"topic": "a"}, {"topic": "a"}, {"topic": "a"}]})"}) {
        expect_the_same_of_transform(transform, false);
    }
    std::string six = R"({"type": "drop"})";
    for (int i = 1; i < 6; ++i) six += R"(, {"type": "drop"})";
    expect_the_same_of_transform(six, false);
}

}  // namespace
}  // namespace pgc
