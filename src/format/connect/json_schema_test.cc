#include "format/connect/json_schema.h"

#include <gtest/gtest.h>

#include "support/connect_schemas.h"

// The texts are what JsonSchemaData.fromConnectSchema(…).canonicalString() of Confluent's converter
// makes of such schemas.
namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

TEST(JsonSchemaTest, PlainTypesRememberWhatConnectCallsThem) {
    EXPECT_EQ(json_schema(required(int8)), R"({"type":"integer","connect.type":"int8"})");
    EXPECT_EQ(json_schema(required(int16)), R"({"type":"integer","connect.type":"int16"})");
    EXPECT_EQ(json_schema(required(int32)), R"({"type":"integer","connect.type":"int32"})");
    EXPECT_EQ(json_schema(required(int64)), R"({"type":"integer","connect.type":"int64"})");
    EXPECT_EQ(json_schema(required(float32)), R"({"type":"number","connect.type":"float32"})");
    EXPECT_EQ(json_schema(required(float64)), R"({"type":"number","connect.type":"float64"})");
    EXPECT_EQ(json_schema(required(bytes)), R"({"type":"string","connect.type":"bytes"})");
    EXPECT_EQ(json_schema(required(boolean)), R"({"type":"boolean"})");
    EXPECT_EQ(json_schema(required(string)), R"({"type":"string"})");
}

TEST(JsonSchemaTest, WhatMayBeNullIsOneOfTwo) {
    EXPECT_EQ(json_schema(nullable(string)), R"({"oneOf":[{"type":"null"},{"type":"string"}]})");
}

TEST(JsonSchemaTest, FieldsRememberTheirPlace) {
    EXPECT_EQ(json_schema(struct_of("shop.Key", {{"a", required(int32)}, {"b", nullable(string)}})),
              R"({"type":"object","title":"shop.Key","properties":{)"
              R"("a":{"type":"integer","connect.index":0,"connect.type":"int32"},)"
              R"("b":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]}}})");
}

TEST(JsonSchemaTest, FieldsComeInTheOrderOfAHashMap) {
    EXPECT_EQ(json_schema(struct_of("", {{"before", required(string)},
                                         {"after", required(string)},
                                         {"op", required(string)},
                                         {"ts_ms", required(string)}})),
              R"({"type":"object","properties":{"op":{"type":"string","connect.index":2},)"
              R"("before":{"type":"string","connect.index":0},)"
              R"("after":{"type":"string","connect.index":1},)"
              R"("ts_ms":{"type":"string","connect.index":3}}})");
}

TEST(JsonSchemaTest, EverythingASchemaCanHave) {
    const ConnectSchema schema =
        with_default(with_doc(optional(decimal("2", "10")), "what \"is\" owed"), R"("AfQ=")");
    EXPECT_EQ(
        json_schema(struct_of("", {{"balance", schema}})),
        R"({"type":"object","properties":{"balance":{"connect.index":0,"oneOf":[{"type":"null"},)"
        R"({"type":"string","title":"org.apache.kafka.connect.data.Decimal",)"
        R"("description":"what \"is\" owed","default":"AfQ=","connect.version":1,)"
        R"("connect.type":"bytes",)"
        R"("connect.parameters":{"scale":"2","connect.decimal.precision":"10"}}]}}})");
}

TEST(JsonSchemaTest, TheTypeOfABooleanComesLast) {
    EXPECT_EQ(json_schema(struct_of("", {{"b", with_default(required(boolean), "true")}})),
              R"({"type":"object","properties":{)"
              R"("b":{"default":true,"connect.index":0,"type":"boolean"}}})");
}

TEST(JsonSchemaTest, NumbersOfDefaultsLoseWhatSaysNothing) {
    const auto of = [](std::string number) {
        return json_schema(with_default(required(float64), std::move(number)));
    };
    EXPECT_EQ(of("0.0"), R"({"type":"number","default":0,"connect.type":"float64"})");
    EXPECT_EQ(of("1.50"), R"({"type":"number","default":1.5,"connect.type":"float64"})");
    EXPECT_EQ(of("100"), R"({"type":"number","default":100,"connect.type":"float64"})");
    EXPECT_EQ(of("1.0E10"), R"({"type":"number","default":1.0E10,"connect.type":"float64"})");
}

TEST(JsonSchemaTest, ArraysAndMaps) {
    EXPECT_EQ(json_schema(optional(array_of(nullable(int64)))),
              R"({"oneOf":[{"type":"null"},{"type":"array","items":{"oneOf":[{"type":"null"},)"
              R"({"type":"integer","connect.type":"int64"}]}}]})");
    EXPECT_EQ(json_schema(map_of(required(string), nullable(string))),
              R"({"type":"object","connect.type":"map",)"
              R"("additionalProperties":{"oneOf":[{"type":"null"},{"type":"string"}]}})");
    EXPECT_EQ(json_schema(map_of(required(int32), required(string))),
              R"({"type":"array","connect.type":"map","items":{"type":"object","properties":{)"
              R"("value":{"type":"string","connect.index":1},)"
              R"("key":{"type":"integer","connect.index":0,"connect.type":"int32"}}}})");
}

TEST(JsonSchemaTest, StructuresWithinStructuresAreWrittenOutEachTime) {
    const ConnectSchema value = struct_of("t.Value", {});
    EXPECT_EQ(
        json_schema(struct_of("t.Envelope", {{"a", optional(value)}, {"b", value}})),
        R"({"type":"object","title":"t.Envelope","properties":{)"
        R"("a":{"connect.index":0,"oneOf":[{"type":"null"},{"type":"object","title":"t.Value"}]},)"
        R"("b":{"type":"object","title":"t.Value","connect.index":1}}})");
}

// As recorded from the converter, under Java 17: beyond sixteen buckets, and beyond ASCII.
TEST(JsonSchemaTest, TheFieldsOfAWideTable) {
    ConnectSchema table = struct_of("", {});
    for (const char* const name :
         {"id",      "name",     "email",   "created_at", "updated_at", "first_name", "last_name",
          "address", "city",     "country", "zip",        "phone",      "status",     "kind",
          "amount",  "currency", "notes",   "größe",      "😀",         "a",          "b",
          "c",       "d",        "e",       "f",          "g"}) {
        table.fields.push_back({name, shared(required(boolean))});
    }
    std::string order;
    const std::string text = json_schema(table);
    for (std::size_t at = text.find(":{\"connect.index"); at != std::string::npos;
         at = text.find(":{\"connect.index", at + 1)) {
        const std::size_t quote = text.rfind('"', at - 2);
        order += text.substr(quote + 1, at - quote - 2) + " ";
    }
    EXPECT_EQ(
        order,
        "country notes city created_at updated_at currency id first_name email zip a amount b "
        "address c d e kind f g last_name größe phone name 😀 status ");
}

TEST(JsonSchemaTest, TheParametersOfAPropagatedColumn) {
    const std::string column = "__debezium.source.column.";
    EXPECT_EQ(
        json_schema(with_parameters(required(string), {{"allowed", "1"},
                                                       {"length", "2"},
                                                       {"scale", "3"},
                                                       {column + "type", "4"},
                                                       {column + "length", "5"},
                                                       {column + "scale", "6"},
                                                       {column + "name", "7"},
                                                       {"io.confluent.connect.json.x", "8"}})),
        R"({"type":"string","connect.parameters":{"__debezium.source.column.type":"4",)"
        R"("__debezium.source.column.name":"7","allowed":"1","length":"2","scale":"3",)"
        R"("__debezium.source.column.scale":"6","__debezium.source.column.length":"5"}})");
}

TEST(JsonSchemaTest, ADefaultThatIsNoNumberIsLeftOut) {
    EXPECT_EQ(json_schema(with_default(required(float64), R"("NaN")")),
              R"({"type":"number","connect.type":"float64"})");
}

}  // namespace
}  // namespace pgc
