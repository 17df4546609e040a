#include "format/connect/avro_schema.h"

#include <gtest/gtest.h>

#include "support/connect_schemas.h"

// The texts are what AvroData.fromConnectSchema(…).toString() of Confluent's converter makes of
// such schemas.
namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

std::string avro(const ConnectSchema& schema, AvroDocs docs = AvroDocs::annotations) {
    const Result<std::string> text = avro_schema(schema, docs);
    return text ? *text : text.error().what;
}

// What follows `"name":"f","type":` of the only field of a record.
std::string avro_field(const ConnectSchema& schema) {
    const std::string text = avro(struct_of("r", {{"f", schema}}));
    constexpr std::string_view head =
        R"({"type":"record","name":"r","fields":[{"name":"f","type":)";
    constexpr std::string_view tail = R"(}],"connect.name":"r"})";
    if (!text.starts_with(head) || !text.ends_with(tail)) return text;
    return text.substr(head.size(), text.size() - head.size() - tail.size());
}

TEST(AvroSchemaTest, PlainTypesAreOneWord) {
    EXPECT_EQ(avro(required(int32)), R"("int")");
    EXPECT_EQ(avro(required(int64)), R"("long")");
    EXPECT_EQ(avro(required(float32)), R"("float")");
    EXPECT_EQ(avro(required(float64)), R"("double")");
    EXPECT_EQ(avro(required(boolean)), R"("boolean")");
    EXPECT_EQ(avro(required(string)), R"("string")");
    EXPECT_EQ(avro(required(bytes)), R"("bytes")");
}

TEST(AvroSchemaTest, SmallIntegersAreIntsThatRememberTheirType) {
    EXPECT_EQ(avro(required(int8)), R"({"type":"int","connect.type":"int8"})");
    EXPECT_EQ(avro(nullable(int16)), R"(["null",{"type":"int","connect.type":"int16"}])");
}

TEST(AvroSchemaTest, AnOptionalFieldIsAUnionThatDefaultsToNull) {
    EXPECT_EQ(avro_field(nullable(string)), R"(["null","string"],"default":null)");
    EXPECT_FALSE(avro_null_is_last(nullable(string)));
}

TEST(AvroSchemaTest, ADefaultComesFirstInItsUnion) {
    EXPECT_EQ(avro_field(with_default(required(int32), "7")),
              R"({"type":"int","connect.default":7},"default":7)");
    EXPECT_EQ(avro_field(with_default(nullable(int32), "7")),
              R"([{"type":"int","connect.default":7},"null"],"default":7)");
    EXPECT_TRUE(avro_null_is_last(with_default(nullable(int32), "7")));
    EXPECT_FALSE(avro_null_is_last(with_default(required(int32), "7")));
}

TEST(AvroSchemaTest, ADefaultOfBytesIsWrittenInLatin1) {
    EXPECT_EQ(avro_field(with_default(required(bytes), R"("AP9c")")),
              "{\"type\":\"bytes\",\"connect.default\":\"\\u0000\xC3\xBF\\\\\"}"
              ",\"default\":\"\\u0000\xC3\xBF\\\\\"");
}

TEST(AvroSchemaTest, ADefaultThatAvroCannotWriteIsLeftOut) {
    const ConnectSchema schema = with_default(nullable(float64), R"("NaN")");
    EXPECT_EQ(avro_field(schema), R"(["double","null"])");
    EXPECT_TRUE(avro_null_is_last(schema));
    EXPECT_EQ(avro_field(with_default(array_of(required(bytes)), R"(["AA=="])")),
              R"({"type":"array","items":"bytes"})");
}

TEST(AvroSchemaTest, ALogicalTypeOfDebeziumIsAnAnnotation) {
    EXPECT_EQ(avro_field(required(int64, "io.debezium.time.MicroTimestamp")),
              R"({"type":"long","connect.version":1,)"
              R"("connect.name":"io.debezium.time.MicroTimestamp"})");
}

TEST(AvroSchemaTest, AnEnumStaysAStringWithItsParameters) {
    EXPECT_EQ(avro_field(with_default(with_parameters(nullable(string, "io.debezium.data.Enum"),
                                                      {{"allowed", "new,old"}}),
                                      R"("new")")),
              R"([{"type":"string","connect.version":1,"connect.parameters":{"allowed":"new,old"},)"
              R"("connect.default":"new","connect.name":"io.debezium.data.Enum"},"null"],)"
              R"("default":"new")");
}

TEST(AvroSchemaTest, DecimalsDatesAndTimesOfConnectAreLogicalTypesOfAvro) {
    EXPECT_EQ(avro(decimal("2", "10")),
              R"({"type":"bytes","scale":2,"precision":10,"connect.version":1,)"
              R"("connect.parameters":{"scale":"2","connect.decimal.precision":"10"},)"
              R"("connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"})");
    const std::string connect = "org.apache.kafka.connect.data.";
    EXPECT_EQ(avro(required(int32, connect + "Date")),
              R"({"type":"int","connect.version":1,)"
              R"("connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"})");
    EXPECT_EQ(
        avro(required(int32, connect + "Time")),
        R"({"type":"int","connect.version":1,)"
        R"("connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"})");
    EXPECT_EQ(
        avro(required(int64, connect + "Timestamp")),
        R"({"type":"long","connect.version":1,)"
        R"("connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"})");
}

TEST(AvroSchemaTest, ADecimalWithoutPrecisionHas64Digits) {
    EXPECT_EQ(avro(with_parameters(required(bytes, "org.apache.kafka.connect.data.Decimal"),
                                   {{"scale", "3"}})),
              R"({"type":"bytes","scale":3,"precision":64,"connect.version":1,)"
              R"("connect.parameters":{"scale":"3"},)"
              R"("connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"})");
}

// AvroConverter calls these decimals, too, and fastavro refuses the schema.
TEST(AvroSchemaTest, ADecimalThatAvroDoesNotHaveIsBytes) {
    for (const auto& [scale, precision] : {std::pair{"-3", "2"}, std::pair{"5", "2"}}) {
        const std::string text = avro(decimal(scale, precision));
        EXPECT_FALSE(text.contains("logicalType")) << text;
        EXPECT_TRUE(text.contains(std::string{R"("scale":)"} + scale)) << text;
    }
    EXPECT_TRUE(avro(decimal("2", "2")).contains("logicalType"));
}

TEST(AvroSchemaTest, ADefaultOfADecimalIsItsUnscaledValue) {
    EXPECT_EQ(avro_field(with_default(optional(decimal("2", "5")), R"("AfQ=")")),
              "[{\"type\":\"bytes\",\"scale\":2,\"precision\":5,\"connect.version\":1,"
              "\"connect.parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"5\"},"
              "\"connect.default\":\"\\u0001\xC3\xB4\","
              "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\","
              "\"logicalType\":\"decimal\"},\"null\"],\"default\":\"\\u0001\xC3\xB4\"");
}

TEST(AvroSchemaTest, TheNameOfAStructureIsSplitAtItsLastDot) {
    EXPECT_EQ(avro(struct_of("shop.public.users.Key", {{"id", required(int32)}})),
              R"({"type":"record","name":"Key","namespace":"shop.public.users",)"
              R"("fields":[{"name":"id","type":"int"}],"connect.name":"shop.public.users.Key"})");
}

TEST(AvroSchemaTest, ANamespaceIsWrittenWhereItChanges) {
    EXPECT_EQ(
        avro(struct_of("a.R", {{"same", struct_of("a.S", {})},
                               {"other", struct_of("b.T", {{"back", struct_of("a.U", {})}})},
                               {"none", struct_of("V", {})}})),
        R"({"type":"record","name":"R","namespace":"a","fields":[)"
        R"({"name":"same","type":{"type":"record","name":"S","fields":[],"connect.name":"a.S"}},)"
        R"({"name":"other","type":{"type":"record","name":"T","namespace":"b","fields":[)"
        R"({"name":"back","type":{"type":"record","name":"U","namespace":"a","fields":[],)"
        R"("connect.name":"a.U"}}],"connect.name":"b.T"}},)"
        R"({"name":"none","type":{"type":"record","name":"V","namespace":"","fields":[],)"
        R"("connect.name":"V"}}],"connect.name":"a.R"})");
}

TEST(AvroSchemaTest, AStructureIsWrittenOnceAndThenReferredTo) {
    const ConnectSchema point = struct_of("geo.Point", {{"x", required(float64)}});
    EXPECT_EQ(
        avro(struct_of("r.R",
                       {{"a", optional(point)}, {"b", point}, {"c", array_of(optional(point))}})),
        R"({"type":"record","name":"R","namespace":"r","fields":[)"
        R"({"name":"a","type":["null",{"type":"record","name":"Point","namespace":"geo",)"
        R"("fields":[{"name":"x","type":"double"}],"connect.name":"geo.Point"}],"default":null},)"
        R"({"name":"b","type":"geo.Point"},)"
        R"({"name":"c","type":{"type":"array","items":["null","geo.Point"]}}],)"
        R"("connect.name":"r.R"})");
}

TEST(AvroSchemaTest, AReferenceWithinTheNamespaceIsShort) {
    const ConnectSchema value = struct_of("t.Value", {});
    EXPECT_EQ(
        avro(struct_of("t.Envelope", {{"before", optional(value)}, {"after", optional(value)}})),
        R"({"type":"record","name":"Envelope","namespace":"t","fields":[)"
        R"({"name":"before","type":["null",{"type":"record","name":"Value","fields":[],)"
        R"("connect.name":"t.Value"}],"default":null},)"
        R"({"name":"after","type":["null","Value"],"default":null}],"connect.name":"t.Envelope"})");
}

// Its short form would be read as the primitive type.
TEST(AvroSchemaTest, ARecordIsNeverCalledAsAPrimitiveType) {
    const ConnectSchema inner = struct_of("s.string", {{"x", nullable(int32)}});
    EXPECT_EQ(avro(struct_of("s.r", {{"a", inner}, {"b", inner}, {"c", required(string)}})),
              R"({"type":"record","name":"r","namespace":"s","fields":[)"
              R"({"name":"a","type":{"type":"record","name":"string_","fields":[)"
              R"({"name":"x","type":["null","int"],"default":null}],"connect.name":"s.string"}},)"
              R"({"name":"b","type":"string_"},{"name":"c","type":"string"}],)"
              R"("connect.name":"s.r"})");
}

TEST(AvroSchemaTest, ParametersOfARepeatedStructureStandAtItsField) {
    const auto column = [](std::string type) {
        return with_parameters(struct_of("N", {}),
                               {{"__debezium.source.column.type", std::move(type)}});
    };
    EXPECT_EQ(
        avro(struct_of("R", {{"a", column("NUMERIC")}, {"b", column("MONEY")}})),
        R"({"type":"record","name":"R","fields":[)"
        R"({"name":"a","type":{"type":"record","name":"N","fields":[],)"
        R"("connect.parameters":{"__debezium.source.column.type":"NUMERIC"},"connect.name":"N"}},)"
        R"({"name":"b","type":"N",)"
        R"("connect.parameters":{"__debezium.source.column.type":"MONEY"}}],"connect.name":"R"})");
}

TEST(AvroSchemaTest, StructuresWithoutNameAreNumbered) {
    EXPECT_EQ(
        avro(struct_of("", {{"a", struct_of("", {{"x", required(int32)}})},
                            {"b", struct_of("", {{"x", required(int32)}})},
                            {"c", struct_of("", {})}})),
        R"({"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[)"
        R"({"name":"a","type":{"type":"record","name":"ConnectDefault2",)"
        R"("fields":[{"name":"x","type":"int"}]}},)"
        R"({"name":"b","type":"ConnectDefault2"},)"
        R"({"name":"c","type":{"type":"record","name":"ConnectDefault3","fields":[]}}]})");
}

TEST(AvroSchemaTest, MapsOfStringsAreMapsAndOthersAreArraysOfEntries) {
    EXPECT_EQ(avro(map_of(required(string), nullable(string))),
              R"({"type":"map","values":["null","string"]})");
    EXPECT_EQ(avro(map_of(required(int32), nullable(string))),
              R"({"type":"array","items":{"type":"record","name":"MapEntry",)"
              R"("namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},)"
              R"({"name":"value","type":["null","string"],"default":null}]}})");
    ConnectSchema named = map_of(nullable(string), required(int64));
    named.name = "a.Pairs";
    EXPECT_EQ(avro(named),
              R"({"type":"array","items":{"type":"record","name":"Pairs","namespace":"a",)"
              R"("fields":[{"name":"key","type":["null","string"],"default":null},)"
              R"({"name":"value","type":"long"}],"connect.internal.type":"MapEntry"},)"
              R"("connect.name":"a.Pairs"})");
}

TEST(AvroSchemaTest, CommentsAreAnnotationsAndOnRequestDocsToo) {
    const ConnectSchema table =
        with_doc(struct_of("T", {{"c", with_doc(nullable(int32), "a column")}}), "a table");
    EXPECT_EQ(avro(table),
              R"({"type":"record","name":"T","fields":[{"name":"c",)"
              R"("type":["null",{"type":"int","connect.doc":"a column"}],"default":null}],)"
              R"("connect.doc":"a table","connect.name":"T"})");
    EXPECT_EQ(avro(table, AvroDocs::attributes),
              R"({"type":"record","name":"T","doc":"a table","fields":[{"name":"c",)"
              R"("type":["null",{"type":"int","connect.doc":"a column"}],"doc":"a column",)"
              R"("default":null}],"connect.doc":"a table","connect.name":"T"})");
}

TEST(AvroSchemaTest, NamesAreScrubbedAsTheConverterDoesIt) {
    EXPECT_EQ(scrubbed_name("user_id2"), "user_id2");
    EXPECT_EQ(scrubbed_name("größe"), "gr_C3_B6_C3_9Fe");
    EXPECT_EQ(scrubbed_name("2nd"), "x2nd");
    EXPECT_EQ(scrubbed_name("a-b.c d*"), "a_b_c_d_");
    EXPECT_EQ(scrubbed_name("a+b$"), "a_2Bb_24");
    EXPECT_EQ(avro(struct_of("my-app.public.users.Value", {{"first name", required(string)}})),
              R"({"type":"record","name":"Value","namespace":"my_app.public.users",)"
              R"("fields":[{"name":"first_name","type":"string"}],)"
              R"("connect.name":"my-app.public.users.Value"})");
}

TEST(AvroSchemaTest, FieldsWithOneNameAreRefused) {
    EXPECT_EQ(avro(struct_of("T", {{"a-b", required(string)}, {"a_b", required(string)}})),
              "the fields \"a-b\" and \"a_b\" of T are both called a_b in Avro");
}

TEST(AvroSchemaTest, StructuresWithOneNameThatHoldDifferentThingsAreRefused) {
    EXPECT_EQ(avro(struct_of("R", {{"a", struct_of("p.q-r", {})},
                                   {"b", struct_of("p.q_r", {{"x", required(int32)}})}})),
              "two different structures are both called p.q_r in Avro");
    EXPECT_EQ(avro(struct_of("R", {{"a", struct_of("P", {{"x", decimal("2", "9")}})},
                                   {"b", struct_of("P", {{"x", decimal("3", "9")}})}})),
              "two different structures are both called P in Avro");
}

}  // namespace
}  // namespace pgc
