#include "postgres/types/bytes.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

TEST(ByteaTest, ReadsHex) {
    EXPECT_EQ(text("bytea", "\\x616263"), "'abc'");
    EXPECT_EQ(text("bytea", "\\x4A4b"), "'JK'");
    EXPECT_EQ(text("bytea", "\\x"), "''");
    EXPECT_EQ(text("bytea", "\\x00ff"), (std::string{"'\0\xFF'", 4}));
}

TEST(ByteaTest, ReadsEscapes) {
    EXPECT_EQ(text("bytea", "abc"), "'abc'");
    EXPECT_EQ(text("bytea", "a\\\\b"), "'a\\b'");
    EXPECT_EQ(text("bytea", "\\377\\001"), "'\xFF\x01'");
    EXPECT_EQ(text("bytea", ""), "''");
}

TEST(ByteaTest, BinaryIsTheBytes) {
    EXPECT_EQ(binary("bytea", "a\\b"), "'a\\b'");
}

TEST(ByteaTest, RefusesBrokenTexts) {
    for (const auto bytes : {"\\x1", "\\xzz", "\\x1g", "\\xg1", "a\\", "\\12", "\\400", "\\0a0"}) {
        EXPECT_EQ(text("bytea", bytes), "refused") << bytes;
    }
}

TEST(UuidTest, ReadsBothForms) {
    constexpr auto uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    EXPECT_EQ(text("uuid", uuid), "'" + std::string{uuid} + "'");
    EXPECT_EQ(binary("uuid", "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"),
              "'" + std::string{uuid} + "'");
}

TEST(UuidTest, RefusesOtherBytes) {
    for (const auto bytes :
         {"", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
          "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11"}) {
        EXPECT_EQ(text("uuid", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("uuid", "123456789012345"), "refused");
}

TEST(BitsTest, ReadsBothForms) {
    EXPECT_EQ(text("bit", "0101"), "'0101'");
    EXPECT_EQ(text("varbit", ""), "''");
    EXPECT_EQ(binary("bit", Wire{}.int32(4).raw("\x50")), "'0101'");
    EXPECT_EQ(binary("varbit", Wire{}.int32(9).raw("\xFF\x80")), "'111111111'");
    EXPECT_EQ(binary("varbit", Wire{}.int32(0)), "''");
}

TEST(BitsTest, RefusesLengthsThatLie) {
    EXPECT_EQ(binary("bit", Wire{}.int32(9).raw("\xFF")), "refused");
    EXPECT_EQ(binary("bit", Wire{}.int32(8).raw("\xFF\xFF")), "refused");
    EXPECT_EQ(binary("bit", Wire{}.int32(-1).raw("\xFF")), "refused");
    EXPECT_EQ(binary("bit", "abc"), "refused");
    EXPECT_EQ(text("bit", "012"), "refused");
}

}  // namespace
}  // namespace pgc
