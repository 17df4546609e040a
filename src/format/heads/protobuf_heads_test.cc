// Protobuf with a registry that has a past: what is registered, and the numbers it has.
#include "format/heads/protobuf_heads.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/connect_schemas.h"
#include "support/kept_schemas.h"

namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

class ProtobufHeadsTest : public testing::Test {
protected:
    HeadAnswer head(const std::vector<NamedSchema>& fields) {
        ProtobufHeads heads{registry_, memory_, options_};
        auto answer = heads.head(shared(struct_of("shop.t.V", fields)), MessagePart::value, "t");
        EXPECT_TRUE(answer) << answer.error().what;
        return answer ? *std::move(answer) : HeadAnswer{};
    }
    const std::string& newest() { return registry_.subjects.at("t-value").back().schema.text; }

    KeptSchemas registry_;
    ProtobufMemory memory_;
    ProtobufHeads::Options options_;
};

TEST_F(ProtobufHeadsTest, AFirstSchemaIsNumberedByPlaces) {
    const HeadAnswer answer = head({{"a", required(int32)}, {"b", nullable(string)}});
    EXPECT_EQ(answer.is, HeadAnswer::Is::known);
    EXPECT_EQ(answer.head.before, std::string("\0\0\0\0\1\0", 6));
    EXPECT_EQ(answer.numbered, nullptr);
}

TEST_F(ProtobufHeadsTest, AllVersionsAreItsMemory) {
    registry_.add("t-value", "message V { int32 a = 2; int32 gone = 7; }");
    registry_.add("t-value", "{}", SchemaType::avro);
    registry_.add("t-value", "message W {} message V { int32 a = 2; }");
    const HeadAnswer answer = head({{"a", required(int32)}, {"b", nullable(string)}});
    EXPECT_EQ(answer.head.before, std::string("\0\0\0\0\4\2\2", 7)) << "the second of its file";
    ASSERT_NE(answer.numbered, nullptr);
    EXPECT_EQ(answer.numbered->fields[0].number, 2U);
    EXPECT_EQ(answer.numbered->fields[1].number, 8U);
    EXPECT_NE(newest().find("reserved 7;"), std::string::npos) << newest();
}

TEST_F(ProtobufHeadsTest, WhatIsRememberedNeedsNoRegistryButForTheId) {
    head({{"a", required(int32)}});
    EXPECT_EQ(registry_.asked, 1);
    registry_.add("t-value", "message V { int32 a = 9; }");
    EXPECT_EQ(head({{"a", required(int32)}}).head.before, std::string("\0\0\0\0\1\0", 6));
    EXPECT_EQ(registry_.asked, 1);
    EXPECT_EQ(head({{"a", required(int64)}}).numbered->fields[0].number, 9U);
    EXPECT_EQ(registry_.asked, 2);
}

TEST_F(ProtobufHeadsTest, ItWaitsAndFailsWithTheRegistry) {
    registry_.pending = true;
    EXPECT_EQ(head({{"a", required(int32)}}).is, HeadAnswer::Is::pending);
    registry_.error = stop(Error::Category::authentication, "who are you");
    ProtobufHeads heads{registry_, memory_, options_};
    const auto answer =
        heads.head(shared(struct_of("V", {{"a", required(int32)}})), MessagePart::value, "t");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().what, "who are you");
    EXPECT_EQ(heads.waits_for(), "a registry");
}

TEST_F(ProtobufHeadsTest, AVersionThatCantBeReadIsRefused) {
    registry_.add("t-value", "message {");
    const HeadAnswer answer = head({{"a", required(int32)}});
    ASSERT_EQ(answer.is, HeadAnswer::Is::refused);
    EXPECT_EQ(answer.reason.where, "version 1 of the subject \"t-value\"");
    EXPECT_EQ(head({{"a b", required(int32)}, {"a-b", required(int32)}}).is,
              HeadAnswer::Is::refused);
}

TEST_F(ProtobufHeadsTest, WithoutRegisteringTheNewestThatHoldsTheRowsIsTaken) {
    options_.auto_register = registry_.registers = false;
    registry_.add("t-value", "message V { int32 a = 3; }");
    registry_.add("t-value", "message V { int64 a = 4; }");
    registry_.add("t-value", "message V { string a = 5; }");
    const HeadAnswer answer = head({{"a", required(int32)}});
    ASSERT_EQ(answer.is, HeadAnswer::Is::known);
    EXPECT_EQ(answer.head.before, std::string("\0\0\0\0\2\0", 6));
    EXPECT_EQ(answer.numbered->fields[0].number, 4U);
    const HeadAnswer other = head({{"a", nullable(int32)}});
    ASSERT_EQ(other.is, HeadAnswer::Is::refused);
    EXPECT_EQ(other.reason.what,
              "it is not registered; version 3 can't hold these messages: the message V that is "
              "registered has a field a of the type string and not int32");
}

// "Register it": what is waited for is any version that can hold the rows.
TEST_F(ProtobufHeadsTest, AfterARefusalTheVersionsAreReadAgain) {
    options_.auto_register = registry_.registers = false;
    registry_.pauses = true;
    const auto schema = shared(struct_of("shop.t.V", {{"a", required(int32)}}));
    ProtobufHeads heads{registry_, memory_, options_};
    const auto answer = [&] { return *heads.head(schema, MessagePart::value, "t"); };
    EXPECT_EQ(answer().is, HeadAnswer::Is::pending);
    registry_.add("t-value", "message V { int64 a = 4; string extra = 1; }");
    const HeadAnswer known = answer();
    ASSERT_EQ(known.is, HeadAnswer::Is::known);
    EXPECT_EQ(known.numbered->fields[0].number, 4U);
    EXPECT_EQ(registry_.asked, 2);
    ASSERT_EQ(registry_.dropped.size(), 1U) << "nobody waits for ours";
    EXPECT_NE(registry_.dropped[0].find("int32 a = 1;"), std::string::npos);
}

TEST_F(ProtobufHeadsTest, AfterARefusalTheVersionsAreReadOnce) {
    options_.auto_register = registry_.registers = false;
    const auto schema = shared(struct_of("shop.t.V", {{"a", required(int32)}}));
    ProtobufHeads heads{registry_, memory_, options_};
    const auto answer = [&] { return heads.head(schema, MessagePart::value, "t")->is; };
    for (int i = 0; i < 10; ++i) EXPECT_EQ(answer(), HeadAnswer::Is::refused);
    EXPECT_EQ(registry_.asked, 2);
    registry_.refusals = 2;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(answer(), HeadAnswer::Is::refused);
    EXPECT_EQ(registry_.asked, 3);
    EXPECT_TRUE(registry_.dropped.empty());
}

}  // namespace
}  // namespace pgc
