#include "format/connect/json_envelope.h"

#include <gtest/gtest.h>

#include "support/connect_schemas.h"

// The texts are what JsonConverter.asJsonSchema of Kafka 4.0 makes of such schemas.
namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

TEST(JsonEnvelopeTest, APlainTypeHasItsKindAndWhetherItMayBeNull) {
    EXPECT_EQ(envelope_schema(required(int32)), R"({"type":"int32","optional":false})");
    EXPECT_EQ(envelope_schema(nullable(string)), R"({"type":"string","optional":true})");
}

TEST(JsonEnvelopeTest, FloatingPointHasJsonConvertersOwnNames) {
    EXPECT_EQ(envelope_schema(required(float32)), R"({"type":"float","optional":false})");
    EXPECT_EQ(envelope_schema(required(float64)), R"({"type":"double","optional":false})");
}

TEST(JsonEnvelopeTest, EverythingASchemaCanHaveComesInTheOrderOfJsonConverter) {
    ConnectSchema schema = with_parameters(
        with_doc(
            with_default(nullable(bytes, "org.apache.kafka.connect.data.Decimal"), R"("AfQ=")"),
            "a\tb \x1f \xC3\xA9"),
        {{"scale", "2"}, {"connect.decimal.precision", "5"}});
    EXPECT_EQ(envelope_schema(schema),
              R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal")"
              R"(,"version":1,"doc":"a\tb \u001F é","parameters":{"scale":"2",)"
              R"("connect.decimal.precision":"5"},"default":"AfQ="})");
}

TEST(JsonEnvelopeTest, AFieldsNameComesLast) {
    const ConnectSchema key =
        struct_of("shop.public.users.Key", {{"id", with_default(required(int32), "0")}});
    EXPECT_EQ(
        envelope_schema(key),
        R"({"type":"struct","fields":[{"type":"int32","optional":false,"default":0,"field":"id"}],)"
        R"("optional":false,"name":"shop.public.users.Key"})");
}

TEST(JsonEnvelopeTest, ArraysAndMapsHoldTheSchemasOfTheirParts) {
    EXPECT_EQ(envelope_schema(optional(array_of(nullable(int64)))),
              R"({"type":"array","items":{"type":"int64","optional":true},"optional":true})");
    EXPECT_EQ(envelope_schema(map_of(required(string), nullable(string))),
              R"({"type":"map","keys":{"type":"string","optional":false},)"
              R"("values":{"type":"string","optional":true},"optional":false})");
}

TEST(JsonEnvelopeTest, StructsWithinStructsAreWrittenOutEachTime) {
    EXPECT_EQ(
        envelope_schema(struct_of("a.Envelope", {{"before", optional(struct_of("a.Value", {}))},
                                                 {"after", optional(struct_of("a.Value", {}))}})),
        R"({"type":"struct","fields":[)"
        R"({"type":"struct","fields":[],"optional":true,"name":"a.Value","field":"before"},)"
        R"({"type":"struct","fields":[],"optional":true,"name":"a.Value","field":"after"}],)"
        R"("optional":false,"name":"a.Envelope"})");
}

TEST(JsonEnvelopeTest, NamesThatAreNotUtf8LeaveTheTextValid) {
    EXPECT_EQ(envelope_schema(struct_of("", {{"a\xFF\"", required(boolean)}})),
              "{\"type\":\"struct\",\"fields\":[{\"type\":\"boolean\",\"optional\":false,"
              "\"field\":\"Yf8i\"}],\"optional\":false}");
}

TEST(JsonEnvelopeTest, TheHeadEndsWhereThePayloadBegins) {
    EXPECT_EQ(envelope_head(required(int8)),
              R"({"schema":{"type":"int8","optional":false},"payload":)");
}

}  // namespace
}  // namespace pgc
