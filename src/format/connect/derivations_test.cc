// One tree, and every text that is derived from it.
#include <gtest/gtest.h>

#include "format/connect/avro_schema.h"
#include "format/connect/json_envelope.h"
#include "format/connect/json_schema.h"
#include "format/connect/protobuf_schema.h"
#include "support/connect_schemas.h"

namespace pgc {
namespace {

// The row of shop.public.users as the envelope of JSON writes it.
constexpr std::string_view kRowInJson =
    R"({"type":"struct","fields":[)"
    R"({"type":"int32","optional":false,"default":0,"field":"id"},)"
    R"({"type":"string","optional":true,"doc":"as \"given\"","field":"name"},)"
    R"({"type":"int32","optional":true,"name":"io.debezium.time.Date","version":1,"field":"born"},)"
    R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
    R"("parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"balance"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,)"
    R"("parameters":{"allowed":"new,old"},"default":"new","field":"kind"}],)"
    R"("optional":true,"name":"shop.public.users.Value","field":)";

TEST(DerivationsTest, TheEnvelopeOfJson) {
    std::string expected = R"({"type":"struct","fields":[)";
    expected += kRowInJson;
    expected += R"("before"},)";
    expected += kRowInJson;
    expected += R"("after"},{"type":"string","optional":false,"field":"op"},)";
    expected += R"({"type":"int64","optional":true,"field":"ts_ms"}],"optional":false,)";
    expected += R"("name":"shop.public.users.Envelope","version":2})";
    EXPECT_EQ(envelope_schema(test::envelope_of_users()), expected);
}

TEST(DerivationsTest, Avro) {
    EXPECT_EQ(
        avro_schema(test::envelope_of_users()).value_or("refused"),
        R"({"type":"record","name":"Envelope","namespace":"shop.public.users","fields":[)"
        R"({"name":"before","type":["null",{"type":"record","name":"Value","fields":[)"
        R"({"name":"id","type":{"type":"int","connect.default":0},"default":0},)"
        R"({"name":"name","type":["null",{"type":"string","connect.doc":"as \"given\""}],"default":null},)"
        R"({"name":"born","type":["null",{"type":"int","connect.version":1,)"
        R"("connect.name":"io.debezium.time.Date"}],"default":null},)"
        R"({"name":"balance","type":["null",{"type":"bytes","scale":2,"precision":10,)"
        R"("connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"10"},)"
        R"("connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],)"
        R"("default":null},)"
        R"({"name":"kind","type":[{"type":"string","connect.version":1,)"
        R"("connect.parameters":{"allowed":"new,old"},"connect.default":"new",)"
        R"("connect.name":"io.debezium.data.Enum"},"null"],"default":"new"}],)"
        R"("connect.name":"shop.public.users.Value"}],"default":null},)"
        R"({"name":"after","type":["null","Value"],"default":null},)"
        R"({"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"],"default":null}],)"
        R"("connect.version":2,"connect.name":"shop.public.users.Envelope"})");
}

// The row as JSON Schema writes it, without null.
constexpr std::string_view kRowInJsonSchema =
    R"({"type":"object","title":"shop.public.users.Value","properties":{)"
    R"("balance":{"connect.index":3,"oneOf":[{"type":"null"},)"
    R"({"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,)"
    R"("connect.type":"bytes","connect.parameters":{"scale":"2","connect.decimal.precision":"10"}}]},)"
    R"("kind":{"connect.index":4,"oneOf":[{"type":"null"},)"
    R"({"type":"string","title":"io.debezium.data.Enum","default":"new","connect.version":1,)"
    R"("connect.parameters":{"allowed":"new,old"}}]},)"
    R"("born":{"connect.index":2,"oneOf":[{"type":"null"},)"
    R"({"type":"integer","title":"io.debezium.time.Date","connect.version":1,"connect.type":"int32"}]},)"
    R"("name":{"connect.index":1,"oneOf":[{"type":"null"},)"
    R"({"type":"string","description":"as \"given\""}]},)"
    R"("id":{"type":"integer","default":0,"connect.index":0,"connect.type":"int32"}}})";

TEST(DerivationsTest, JsonSchema) {
    std::string expected = R"({"type":"object","title":"shop.public.users.Envelope",)";
    expected += R"("connect.version":2,"properties":{"op":{"type":"string","connect.index":2},)";
    expected += R"("before":{"connect.index":0,"oneOf":[{"type":"null"},)";
    expected += kRowInJsonSchema;
    expected += R"(]},"after":{"connect.index":1,"oneOf":[{"type":"null"},)";
    expected += kRowInJsonSchema;
    expected += R"(]},"ts_ms":{"connect.index":3,"oneOf":[{"type":"null"},)";
    expected += R"({"type":"integer","connect.type":"int64"}]}}})";
    EXPECT_EQ(json_schema(test::envelope_of_users()), expected);
}

TEST(DerivationsTest, Protobuf) {
    const Result<ProtobufFile> file = protobuf_schema(test::envelope_of_users());
    ASSERT_TRUE(file);
    EXPECT_EQ(text_of(*file), R"(syntax = "proto3";
package shop.public.users;

message Envelope {
  Value before = 1;
  Value after = 2;
  string op = 3;
  optional int64 ts_ms = 4;
  message Value {
    int32 id = 1;
    optional string name = 2;
    optional int32 born = 3;
    Decimal balance = 4;
    optional string kind = 5;
    message Decimal {
      bytes value = 1;
      uint32 precision = 2;
      int32 scale = 3;
    }
  }
}
)");
}

}  // namespace
}  // namespace pgc
