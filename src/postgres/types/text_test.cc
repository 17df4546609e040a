#include "postgres/types/text.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;

TEST(TextTest, IsItsBytesInBothForms) {
    for (const auto type :
         {"text", "varchar", "bpchar", "name", "xml", "json", "unknown", "refcursor"}) {
        EXPECT_EQ(text(type, "a b"), "'a b'") << type;
        EXPECT_EQ(binary(type, "a b"), "'a b'") << type;
        EXPECT_EQ(text(type, ""), "''") << type;
    }
}

TEST(TextTest, KeepsBytesThatAreNoText) {
    EXPECT_EQ(text("text", "\xFF\xC3"), "'\xFF\xC3'");
}

TEST(TextTest, JsonbHasAVersionByteInBinary) {
    EXPECT_EQ(text("jsonb", R"({"a": 1})"), R"('{"a": 1}')");
    EXPECT_EQ(binary("jsonb", "\x01{}"), "'{}'");
    EXPECT_EQ(binary("jsonpath", "\x01$"), "'$'");
    EXPECT_EQ(binary("jsonb", "\x02{}"), "refused");
    EXPECT_EQ(binary("jsonb", ""), "refused");
}

TEST(TextTest, TypesCarriedAsPrintedHaveNoBinaryReader) {
    for (const auto type : {"regclass", "regtype", "aclitem", "gtsvector"}) {
        EXPECT_EQ(text(type, "(1,2)"), "'(1,2)'") << type;
        EXPECT_EQ(binary(type, "x"), "no reader") << type;
    }
}

TEST(CharTest, IsOneByte) {
    EXPECT_EQ(binary("char", "x"), "'x'");
    EXPECT_EQ(text("char", "x"), "'x'");
    EXPECT_EQ(binary("char", ""), "refused");
    EXPECT_EQ(binary("char", "xy"), "refused");
}

TEST(CharTest, ZeroIsTheEmptyText) {
    EXPECT_EQ(binary("char", std::string_view{"\0", 1}), "''");
    EXPECT_EQ(text("char", ""), "''");
}

TEST(CharTest, HighBytesAreShownInOctal) {
    EXPECT_EQ(binary("char", "\xFF"), "'\\377'");
    EXPECT_EQ(binary("char", "\x80"), "'\\200'");
}

}  // namespace
}  // namespace pgc
