#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "format/connect/protobuf_file.h"

namespace pgc {
namespace {

ProtobufFile read(std::string_view text) {
    Result<ProtobufFile> file = read_protobuf(text);
    EXPECT_TRUE(file) << describe(file.error());
    return file ? *std::move(file) : ProtobufFile{};
}

std::string refusal(std::string_view text) {
    const Result<ProtobufFile> file = read_protobuf(text);
    return file ? "" : file.error().what;
}

TEST(ProtobufReaderTest, ReadsWhatWeWrite) {
    constexpr std::string_view text = R"(syntax = "proto3";
package shop.public.users;

message Value {
  reserved 2, 5 to 9;
  reserved "was_2_4name_string", "old";
  int32 id = 1;
  optional string email = 3;
  repeated tags_Item tags = 4;
  message tags_Item {
    optional string value = 1;
  }
}
)";
    const ProtobufFile file = read(text);
    EXPECT_EQ(text_of(file), text);
    EXPECT_EQ(file.package, "shop.public.users");
    ASSERT_EQ(file.messages.size(), 1U);
    const ProtobufMessage& value = file.messages[0];
    EXPECT_EQ(value.fields[1].name, "email");
    EXPECT_EQ(value.fields[1].type, "string");
    EXPECT_EQ(value.fields[1].number, 3U);
    EXPECT_TRUE(value.fields[1].optional);
    EXPECT_TRUE(value.fields[2].repeated);
    EXPECT_EQ(value.reserved,
              (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{2, 2}, {5, 9}}));
    EXPECT_EQ(value.reserved_names, (std::vector<std::string>{"was_2_4name_string", "old"}));
}

TEST(ProtobufReaderTest, ReadsWhatOthersWrite) {
    const ProtobufFile file = read(R"(
// Generated.
syntax="proto3"; package a;
import public "google/protobuf/timestamp.proto";
option java_package = "com.example; { }";
option (custom) = { key: "}" other: [1, 2] };
enum Kind { option allow_alias = true; NONE = 0; SOME = 1 [deprecated = true]; }
/* a block { */
message M {
  option deprecated = true;
  .google.protobuf.Timestamp at = 0x10 [json_name = "]", (meta) = { params: [{ value: ";" }] }];
  map<string, a.M> others = 010;
  oneof choice { option (x) = 1; string text = 2; M inner = 3; }
  enum Inner { A = 0; }
  extensions 100 to 199;
  reserved 40 to max;
  required int32 n = 4;;
}
service S { rpc Get (M) returns (M) { option idempotency_level = IDEMPOTENT; } }
extend M { optional int32 more = 126; }
message N {}
)");
    ASSERT_EQ(file.messages.size(), 2U);
    const ProtobufMessage& m = file.messages[0];
    ASSERT_EQ(m.fields.size(), 5U);
    EXPECT_EQ(m.fields[0].type, ".google.protobuf.Timestamp");
    EXPECT_EQ(m.fields[0].number, 16U);
    EXPECT_EQ(m.fields[1].type, "map<string, a.M>");
    EXPECT_EQ(m.fields[1].number, 8U);
    EXPECT_EQ(m.fields[2].name, "text");
    EXPECT_EQ(m.fields[3].name, "inner");
    EXPECT_EQ(m.fields[4].number, 4U);
    EXPECT_EQ(m.reserved[0].second, kMaxFieldNumber);
    EXPECT_EQ(file.messages[1].name, "N");
}

TEST(ProtobufReaderTest, SaysWhichLineItDoesNotUnderstand) {
    constexpr std::string_view head = "a Protobuf schema can't be read: line ";
    EXPECT_EQ(refusal("message M {\n  int32 = 1;\n}"), std::string{head} + "2 is not understood");
    EXPECT_EQ(refusal("message M {"), std::string{head} + "1 is not understood");
    EXPECT_EQ(refusal("{}"), std::string{head} + "1 is not understood");
}

TEST(ProtobufReaderTest, RefusesNumbersThatAreNone) {
    for (const char* const number :
         {"0", "-1", "536870912", "99999999999", "x", "1.5", "08", "\"1\""}) {
        EXPECT_NE(refusal(std::string{"message M { int32 a = "} + number + "; }"), "") << number;
    }
    EXPECT_NE(refusal("message M { reserved 5 to 4; }"), "");
}

TEST(ProtobufReaderTest, RefusesNamesThatAreNone) {
    EXPECT_NE(refusal("message a.b {}"), "");
    EXPECT_NE(refusal("message M { int32 a.b = 1; }"), "");
    EXPECT_NE(refusal("message M { int32 1a = 1; }"), "");
    EXPECT_NE(refusal("message M { reserved \"a b\"; }"), "");
    EXPECT_NE(refusal("message M { reserved \"a; }"), "");
}

TEST(ProtobufReaderTest, RefusesWhatIsTooDeepOrTooLong) {
    std::string deep;
    for (int i = 0; i < 33; ++i) deep += "message M {";
    EXPECT_NE(refusal(deep + std::string(33, '}')), "");
    EXPECT_EQ(refusal(deep.substr(11) + std::string(32, '}')), "");
    EXPECT_NE(refusal(std::string(std::size_t{5} << 20, ' ')), "");
}

TEST(ProtobufReaderTest, EveryPrefixIsReadOrRefused) {
    constexpr std::string_view text =
        "syntax = \"proto3\"; message M { reserved 1 to max, 3; reserved 'a\\'', \"b\"; /* */ "
        "oneof o {"
        " string s = 2 [a = \"\\\"\"]; } map<int32, M> m = 5; }";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        const std::string prefix{text.substr(0, n)};
        (void)read_protobuf(prefix);
    }
}

}  // namespace
}  // namespace pgc
