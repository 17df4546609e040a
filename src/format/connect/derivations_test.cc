// One tree, and every text that is derived from it.
#include <gtest/gtest.h>

#include "format/connect/json_envelope.h"
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

}  // namespace
}  // namespace pgc
