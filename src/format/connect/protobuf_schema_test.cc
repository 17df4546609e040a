#include "format/connect/protobuf_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "support/connect_schemas.h"

namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

std::string proto(const ConnectSchema& schema) {
    const Result<ProtobufFile> file = protobuf_schema(schema);
    return file ? text_of(*file) : file.error().what;
}

TEST(ProtobufSchemaTest, TypesAndNulls) {
    EXPECT_EQ(
        proto(struct_of("shop.public.t.Value", {{"a", required(int8)},
                                                {"b", nullable(int16)},
                                                {"c", nullable(int32, "io.debezium.time.Date")},
                                                {"d", required(int64)},
                                                {"e", required(float32)},
                                                {"f", nullable(float64)},
                                                {"g", required(boolean)},
                                                {"h", nullable(string)},
                                                {"i", required(bytes)}})),
        R"(syntax = "proto3";
package shop.public.t;

message Value {
  int32 a = 1;
  optional int32 b = 2;
  optional int32 c = 3;
  int64 d = 4;
  float e = 5;
  optional double f = 6;
  bool g = 7;
  optional string h = 8;
  bytes i = 9;
}
)");
}

TEST(ProtobufSchemaTest, StructuresAreDeclaredWhereTheyAreUsedAndOnce) {
    const ConnectSchema value = struct_of("t.Value", {{"id", required(int32)}});
    EXPECT_EQ(
        proto(struct_of("t.Envelope", {{"before", optional(value)}, {"after", optional(value)}})),
        R"(syntax = "proto3";
package t;

message Envelope {
  Value before = 1;
  Value after = 2;
  message Value {
    int32 id = 1;
  }
}
)");
}

TEST(ProtobufSchemaTest, ADecimalCarriesItsScale) {
    EXPECT_EQ(proto(struct_of("t", {{"a", decimal("2", "9")}, {"b", optional(decimal("3", "9"))}})),
              R"(syntax = "proto3";

message t {
  Decimal a = 1;
  Decimal b = 2;
  message Decimal {
    bytes value = 1;
    uint32 precision = 2;
    int32 scale = 3;
  }
}
)");
}

TEST(ProtobufSchemaTest, NullArraysAndNullsInThemAreKeptApart) {
    EXPECT_EQ(proto(struct_of("t", {{"a", array_of(required(int32))},
                                    {"b", optional(array_of(nullable(int32)))},
                                    {"c", optional(array_of(optional(array_of(nullable(string)))))},
                                    {"d", array_of(decimal("1", "2"))}})),
              R"(syntax = "proto3";

message t {
  Int32List a = 1;
  Int32List b = 2;
  StringListList c = 3;
  DecimalList d = 4;
  message Int32List {
    repeated Int32Item value = 1;
    message Int32Item {
      optional int32 value = 1;
    }
  }
  message StringListList {
    repeated StringListItem value = 1;
    message StringListItem {
      StringList value = 1;
      message StringList {
        repeated StringItem value = 1;
        message StringItem {
          optional string value = 1;
        }
      }
    }
  }
  message DecimalList {
    repeated DecimalItem value = 1;
    message DecimalItem {
      Decimal value = 1;
      message Decimal {
        bytes value = 1;
        uint32 precision = 2;
        int32 scale = 3;
      }
    }
  }
}
)");
}

TEST(ProtobufSchemaTest, MapsAreEntries) {
    EXPECT_EQ(proto(struct_of("t", {{"m", map_of(required(int32), nullable(string))}})),
              R"(syntax = "proto3";

message t {
  Int32StringMap m = 1;
  message Int32StringMap {
    repeated Int32StringEntry value = 1;
    message Int32StringEntry {
      int32 key = 1;
      optional string value = 2;
    }
  }
}
)");
}

TEST(ProtobufSchemaTest, AnInnerMessageIsNeverCalledAsAField) {
    EXPECT_EQ(proto(struct_of("t", {{"Point", struct_of("geo.Point", {})},
                                    {"s", struct_of("x.S", {{"a", required(int32)}})},
                                    {"u", struct_of("y.S", {{"b", required(int32)}})}})),
              R"(syntax = "proto3";

message t {
  PointMessage Point = 1;
  S s = 2;
  SMessage u = 3;
  message PointMessage {
  }
  message S {
    int32 a = 1;
  }
  message SMessage {
    int32 b = 1;
  }
}
)");
}

// A composite type of PostgreSQL may be called as Protobuf calls a type or begins a statement.
TEST(ProtobufSchemaTest, AMessageIsNeverCalledAsAWordOfTheLanguage) {
    for (const std::string word : {"string", "int32", "bytes", "message", "optional", "group"}) {
        const ConnectSchema inner = struct_of("t.Value.s." + word, {{"x", nullable(int32)}});
        const auto file = protobuf_schema(
            struct_of("t.Value", {{"a", optional(inner)}, {"b", nullable(string)}}));
        ASSERT_TRUE(file);
        const ProtobufMessage& value = file->messages[file->root];
        EXPECT_EQ(value.fields[0].type, word + "Message");
        EXPECT_NE(find_message(value.messages, value.fields[0].type), nullptr);
        EXPECT_EQ(value.fields[1].type, "string");
        EXPECT_TRUE(read_protobuf(text_of(*file))) << text_of(*file);
    }
}

TEST(ProtobufSchemaTest, NamesThatJsonWouldConfuseAreKeptApart) {
    EXPECT_EQ(proto(struct_of("t", {{"user_id", required(int32)},
                                    {"userId", array_of(nullable(int32))},
                                    {"USER_ID", required(int32)}})),
              R"(syntax = "proto3";

message t {
  int32 user_id = 1;
  Int32List userId_2 = 2;
  int32 USER_ID_3 = 3;
  message Int32List {
    repeated Int32Item value = 1;
    message Int32Item {
      optional int32 value = 1;
    }
  }
}
)");
}

TEST(ProtobufSchemaTest, WhatCannotBeDescribedIsRefused) {
    EXPECT_EQ(proto(required(int32)),
              "only a structure can be a message of Protobuf, not a value alone");
    EXPECT_EQ(proto(struct_of("t", {{"a b", required(int32)}, {"a-b", required(int32)}})),
              "the fields \"a b\" and \"a-b\" of t are both called a_b in Protobuf");
}

// The schemas that a table has one after the other, each with the numbers of those before.
class ProtobufNumbersTest : public testing::Test {
protected:
    // The fields with their numbers, as "id=1 name=2", then what is reserved.
    std::string next(const std::vector<NamedSchema>& fields) {
        ProtobufFile file = *protobuf_schema(struct_of("t.V", fields));
        if (!text_.empty()) {
            const Result<ProtobufFile> earlier = read_protobuf(text_);
            EXPECT_TRUE(earlier);
            EXPECT_TRUE(keep_numbers(file, *earlier));
        }
        text_ = text_of(file);
        return numbers(file.messages[file.root]);
    }

    static std::string numbers(const ProtobufMessage& message) {
        std::string text;
        for (const ProtobufField& field : message.fields) {
            text += (text.empty() ? "" : " ") + field.name + "=" + std::to_string(field.number);
        }
        for (const auto& [first, last] : message.reserved) {
            text += " -" + std::to_string(first);
            if (first != last) text += ".." + std::to_string(last);
        }
        for (const std::string& name : message.reserved_names) text += " " + name;
        return text;
    }

    std::string text_;
};

TEST_F(ProtobufNumbersTest, AColumnKeepsItsNumberWhereverItStands) {
    EXPECT_EQ(next({{"a", required(int32)}, {"b", required(string)}}), "a=1 b=2");
    EXPECT_EQ(next({{"b", required(string)}, {"c", required(int32)}, {"a", required(int32)}}),
              "b=2 c=3 a=1");
}

TEST_F(ProtobufNumbersTest, ADroppedColumnsNumberIsReservedAndComesBackWithIt) {
    next({{"a", required(int32)}, {"b", nullable(string)}});
    EXPECT_EQ(next({{"a", required(int32)}}), "a=1 -2 was_2_1b_string");
    EXPECT_EQ(next({{"a", required(int32)}, {"c", required(int32)}}), "a=1 c=3 -2 was_2_1b_string");
    EXPECT_EQ(next({{"a", required(int32)}, {"c", required(int32)}, {"b", required(string)}}),
              "a=1 c=3 b=2");
}

TEST_F(ProtobufNumbersTest, AnotherTypeIsAnotherNumberThereAndBackTwice) {
    const std::vector<NamedSchema> text{{"a", nullable(string)}};
    const std::vector<NamedSchema> real{{"a", nullable(float64)}};
    EXPECT_EQ(next(text), "a=1");
    EXPECT_EQ(next(real), "a=2 -1 was_1_1a_string");
    EXPECT_EQ(next(text), "a=1 -2 was_2_1a_double");
    EXPECT_EQ(next(real), "a=2 -1 was_1_1a_string");
    EXPECT_EQ(next(text), "a=1 -2 was_2_1a_double");
}

TEST_F(ProtobufNumbersTest, AWiderIntegerKeepsItsNumberANarrowerOneDoesNot) {
    EXPECT_EQ(next({{"a", required(int16)}}), "a=1");
    EXPECT_EQ(next({{"a", required(int32)}}), "a=1");
    EXPECT_EQ(next({{"a", nullable(int64)}}), "a=1");
    EXPECT_EQ(next({{"a", nullable(int32)}}), "a=2 -1 was_1_1a_int64");
    EXPECT_EQ(next({{"a", array_of(required(int32))}}), "a=3 -1 -2 was_1_1a_int64 was_2_1a_int32");
    EXPECT_EQ(next({{"a", array_of(required(int64))}}),
              "a=4 -1 -2 -3 was_1_1a_int64 was_2_1a_int32 was_3_1a_Int32List");
}

TEST_F(ProtobufNumbersTest, ARenameIsADropAndAnAddition) {
    next({{"a", required(int32)}});
    EXPECT_EQ(next({{"b", required(int32)}}), "b=2 -1 was_1_1a_int32");
}

TEST_F(ProtobufNumbersTest, ATableThatIsAsItWasHasTheSchemaThatItHad) {
    const std::vector<NamedSchema> named_b{{"b", nullable(string)}};
    next({{"a", nullable(string)}, {"c", nullable(int32)}});
    next({{"b", nullable(string)}, {"c", nullable(int32)}});
    EXPECT_EQ(next(named_b), "b=3 -1 -2 was_1_1a_string was_2_1c_int32");
    EXPECT_EQ(next({{"a", nullable(string)}}), "a=1 -2 -3 was_2_1c_int32 was_3_1b_string");
    EXPECT_EQ(next(named_b), "b=3 -1 -2 was_1_1a_string was_2_1c_int32");
}

TEST_F(ProtobufNumbersTest, MessagesWithinKeepTheirNumbersAndStay) {
    const auto point = [](const std::vector<NamedSchema>& fields) {
        return NamedSchema{"p", struct_of("x.Point", fields)};
    };
    next({point({{"x", required(float64)}, {"y", required(float64)}})});
    EXPECT_EQ(next({point({{"y", required(float64)}})}), "p=1");
    EXPECT_EQ(text_, R"(syntax = "proto3";
package t;

message V {
  Point p = 1;
  message Point {
    reserved 1;
    reserved "was_1_1x_double";
    double y = 2;
  }
}
)");
    EXPECT_EQ(next({{"a", required(int32)}}), "a=2 -1 was_1_1p_Point");
    EXPECT_EQ(next({point({{"x", required(float64)}, {"y", required(float64)}})}),
              "p=1 -2 was_2_1a_int32");
    EXPECT_EQ(numbers(read_protobuf(text_)->messages[0].messages[0]), "x=1 y=2");
}

TEST_F(ProtobufNumbersTest, OtherMessagesOfTheFileStayWhereTheyAre) {
    text_ = "message Other { int32 z = 1; } message V { int32 b = 7; }";
    EXPECT_EQ(next({{"a", required(int32)}, {"b", required(int32)}}), "a=8 b=7");
    EXPECT_EQ(read_protobuf(text_)->messages[0].name, "Other");
    EXPECT_EQ(read_protobuf(text_)->messages[1].name, "V");
}

TEST_F(ProtobufNumbersTest, NumbersThatOthersReservedAreNotTaken) {
    text_ = "message V { int32 a = 2; reserved 4 to 6; reserved \"b\", \"c\"; }";
    EXPECT_EQ(next({{"a", required(int32)}, {"b", required(int32)}}), "a=2 b=7 -4..6 c");
    text_ = "message V { int32 a = 18999; }";
    EXPECT_EQ(next({{"a", required(int32)}, {"b", required(int32)}}), "a=18999 b=20000");
    text_ = "message V { int32 a = 3; reserved 1; reserved 4 to max; }";
    EXPECT_EQ(next({{"a", required(int32)}, {"b", required(int32)}}), "a=3 b=2 -1 -4..536870911");
}

TEST_F(ProtobufNumbersTest, ANumberComesBackFromWithinARange) {
    text_ = "message V { reserved 2 to 4; reserved \"was_3_1a_int32\"; }";
    EXPECT_EQ(next({{"a", required(int32)}}), "a=3 -2 -4");
}

// What the newest of some versions, the oldest first, says of numbers with what the others say.
std::string history(const std::vector<std::string>& versions) {
    ProtobufFile newest = *read_protobuf(versions.back());
    for (std::size_t i = versions.size() - 1; i-- > 0;) {
        add_history(newest, *read_protobuf(versions[i]));
    }
    return text_of(newest);
}

TEST(ProtobufHistoryTest, WhatOlderVersionsUsedIsReserved) {
    EXPECT_EQ(history({"message V { int32 a = 1; string b = 5; reserved 7 to 9; message I { int32 "
                       "x = 2; } }",
                       "message V { reserved 4, 8; int32 a = 1; int32 c = 6; message I {} }",
                       "message V { int32 a = 1; } message W { int32 y = 1; }"}),
              R"(syntax = "proto3";

message V {
  reserved 6, 4, 8, 5, 7, 9;
  reserved "was_6_1c_int32", "was_5_1b_string";
  int32 a = 1;
  message I {
    reserved 2;
    reserved "was_2_1x_int32";
  }
}

message W {
  int32 y = 1;
}
)");
}

TEST(ProtobufHistoryTest, WhatTheNewestKnowsStaysAsItIs) {
    const std::string newest = R"(syntax = "proto3";

message V {
  reserved 2, 4 to 6;
  reserved "was_2_1b_int32";
  int64 a = 1;
  bool I = 3;
}
)";
    EXPECT_EQ(history({"message V { int32 a = 1; string b = 2; reserved 3, 5; reserved "
                       "\"was_3_1c_string\", \"other\"; message I {} }",
                       newest}),
              newest);
}

TEST(ProtobufRegisteredTest, ItsNumbersAreTakenByName) {
    ProtobufFile file = *protobuf_schema(
        struct_of("t.V", {{"a", required(int32)},
                          {"p", optional(struct_of("Point", {{"x", required(float64)}}))},
                          {"b", nullable(string)}}));
    const auto place = take_numbers(
        file,
        *read_protobuf("message U {} message V { int64 a = 4; optional string b = 1; Point p "
                       "= 2; bool more = 3; message Point { double y = 1; double x = 5; } }"));
    ASSERT_TRUE(place) << place.error().what;
    EXPECT_EQ(*place, 1U);
    const auto numbered = numbered_schema(
        struct_of("t.V", {{"a", required(int32)},
                          {"p", optional(struct_of("Point", {{"x", required(float64)}}))},
                          {"b", nullable(string)}}),
        file);
    ASSERT_TRUE(numbered && *numbered != nullptr);
    EXPECT_EQ((*numbered)->fields[0].number, 4U);
    EXPECT_EQ((*numbered)->fields[1].number, 2U);
    EXPECT_EQ((*numbered)->fields[1].schema->fields[0].number, 5U);
    EXPECT_EQ((*numbered)->fields[2].number, 1U);
}

TEST(ProtobufRegisteredTest, WhatLosesSomethingIsRefused) {
    const auto fault = [](const char* registered) {
        ProtobufFile file = *protobuf_schema(
            struct_of("V", {{"a", nullable(int64)}, {"l", array_of(required(int32))}}));
        const auto taken = take_numbers(file, *read_protobuf(registered));
        return taken ? "" : taken.error().what;
    };
    EXPECT_EQ(fault("message U {}"), "no message V is registered there");
    EXPECT_EQ(fault("message V {}"), "the message V that is registered has no field a");
    EXPECT_EQ(fault("message V { optional int32 a = 1; }"),
              "the message V that is registered has a field a of the type int32 and not int64");
    EXPECT_EQ(fault("message V { int64 a = 1; }"),
              "the message V that is registered has a field a that is not optional, and null has "
              "no place");
    EXPECT_EQ(fault("message V { optional int64 a = 1; Int32List l = 2; }"),
              "the message V that is registered has no message Int32List in it");
}

TEST(ProtobufRegisteredTest, WhatIsNumberedByPlacesNeedsNothing) {
    const ConnectSchema schema = envelope_of_users();
    const auto numbered = numbered_schema(schema, *protobuf_schema(schema));
    ASSERT_TRUE(numbered);
    EXPECT_EQ(*numbered, nullptr);
}

TEST(ProtobufRegisteredTest, ListsAndDecimalsHaveNumbersOfOurs) {
    const auto fault = [](ConnectSchema column, const char* registered) {
        const ConnectSchema schema = struct_of("V", {{"a", std::move(column)}});
        ProtobufFile file = *protobuf_schema(schema);
        const auto taken = take_numbers(file, *read_protobuf(registered));
        EXPECT_TRUE(taken) << taken.error().what;
        const auto numbered = numbered_schema(schema, file);
        return numbered ? "" : numbered.error().what;
    };
    EXPECT_EQ(fault(array_of(required(int32)),
                    "message V { Int32List a = 1; message Int32List { repeated Int32Item value = "
                    "1; message Int32Item { optional int32 value = 2; } } }"),
              "the message Int32Item that is registered has other numbers than its fields are "
              "written with");
    EXPECT_EQ(fault(map_of(required(string), nullable(string)),
                    "message V { StringStringMap a = 1; message StringStringMap { repeated "
                    "StringStringEntry value = 1; message StringStringEntry { string key = 2; "
                    "optional string value = 1; } } }"),
              "the message StringStringEntry that is registered has other numbers than its fields "
              "are written with");
    EXPECT_EQ(fault(decimal("2", "9"),
                    "message V { Decimal a = 1; message Decimal { uint32 precision = 1; bytes "
                    "value = 2; int32 scale = 3; } }"),
              "the message Decimal that is registered has other numbers than its fields are "
              "written with");
}

TEST(ProtobufNumbersRefusedTest, WhereNoNumberIsLeft) {
    ProtobufFile file = *protobuf_schema(struct_of("V", {{"a", required(int32)}}));
    const Result<void> kept =
        keep_numbers(file, *read_protobuf("message V { reserved 1 to max; }"));
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().what, "no field number of Protobuf is left in V");
}

}  // namespace
}  // namespace pgc
