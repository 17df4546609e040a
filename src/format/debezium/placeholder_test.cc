#include "format/debezium/placeholder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

namespace pgc {
namespace {

// Made with java.util.UUID.nameUUIDFromBytes().
TEST(PlaceholderTest, UuidsAreThoseOfJava) {
    EXPECT_EQ(placeholder_of("gone").uuid, "50c1f58b-e7f5-347e-8f53-d64c094783c2");
    EXPECT_EQ(placeholder_of("__debezium_unavailable_value").uuid,
              "b68a35a7-17ad-35b3-af2a-ae46edb4545a");
    EXPECT_EQ(placeholder_of("hex:00ff").uuid, "d07d34ef-ac63-3800-bad6-7c7e0a985e00");
}

TEST(PlaceholderTest, BytesAreGivenInHexadecimalAndReadAsText) {
    const Placeholder placeholder = placeholder_of("hex:00fF41");
    EXPECT_EQ(placeholder.bytes, std::string("\0\xff\x41", 3));
    EXPECT_EQ(placeholder.text, std::string("\0\xEF\xBF\xBD\x41", 5));
    EXPECT_EQ(placeholder_of("hex:").bytes, "");
    EXPECT_EQ(placeholder_of("hex").text, "hex");
}

TEST(PlaceholderTest, HexadecimalDigitsComeInPairs) {
    EXPECT_TRUE(is_placeholder("hex:0aF9"));
    EXPECT_TRUE(is_placeholder("HEX:0"));
    EXPECT_FALSE(is_placeholder("hex:0"));
    EXPECT_FALSE(is_placeholder("hex:zz"));
}

bool has_in_array_of(std::uint32_t oid, Form form) {
    Type element;
    element.oid = Oid{oid};
    Type list;
    list.kind = Kind::array;
    list.element = std::make_shared<const Type>(element);
    ColumnForm column;
    column.form = Form::array;
    column.parts = {ColumnForm{}};
    column.parts[0].form = form;
    return has_placeholder(list, column);
}

TEST(PlaceholderTest, SomeArraysHaveOne) {
    EXPECT_TRUE(has_in_array_of(2950, Form::text)) << "uuid";
    EXPECT_TRUE(has_in_array_of(1082, Form::date_days));
    EXPECT_FALSE(has_in_array_of(1082, Form::date_iso)) << "their placeholder is of numbers";
    EXPECT_TRUE(has_in_array_of(17, Form::bytes));
    EXPECT_FALSE(has_in_array_of(17, Form::base64)) << "likewise, of bytes";
    EXPECT_FALSE(has_in_array_of(701, Form::float64));
    EXPECT_FALSE(has_in_array_of(1700, Form::variable_decimal));
}

}  // namespace
}  // namespace pgc
