#include "postgres/types/hstore.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::TypeReading;
using testing::Wire;

struct HstoreTest : ::testing::Test {
    HstoreTest() {
        reading.types.add({.oid = kHstore, .schema = "public", .name = "hstore", .has_send = true});
    }
    std::string text(std::string_view bytes) { return reading.text(kHstore, bytes); }
    std::string binary(std::string_view bytes) { return reading.binary(kHstore, bytes); }

    static constexpr Oid kHstore{20001};
    TypeReading reading;
};

TEST_F(HstoreTest, ReadsText) {
    EXPECT_EQ(text(""), "{}");
    EXPECT_EQ(text(R"("a"=>"1")"), "{'a':'1'}");
    EXPECT_EQ(text(R"("a"=>"1", "b"=>"2")"), "{'a':'1','b':'2'}");
}

TEST_F(HstoreTest, TellsNullFromTheTextNull) {
    EXPECT_EQ(text(R"("a"=>NULL, "b"=>"NULL", "c"=>"")"), "{'a':null,'b':'NULL','c':''}");
}

TEST_F(HstoreTest, UnescapesKeysAndValues) {
    EXPECT_EQ(text(R"("a\"=>"=>"b\\c, ")"), R"({'a"=>':'b\c, '})");
}

TEST_F(HstoreTest, ReadsBinary) {
    EXPECT_EQ(binary(Wire{}.int32(0)), "{}");
    EXPECT_EQ(binary(Wire{}.int32(2).sized("a").sized("1").sized("b").int32(-1)),
              "{'a':'1','b':null}");
}

TEST_F(HstoreTest, RefusesOtherTexts) {
    for (const auto bytes :
         {"a=>1", R"("a")", R"("a"=>)", R"("a"=>1)", R"("a"=>"1",)", R"("a"=>"1", )",
          R"("a"=>"1""b"=>"2")", R"("a=>"1")", R"("a"=>"1\")"}) {
        EXPECT_EQ(text(bytes), "refused") << bytes;
    }
}

TEST_F(HstoreTest, RefusesBinaryThatLies) {
    EXPECT_EQ(binary(""), "refused");
    EXPECT_EQ(binary(Wire{}.int32(-1)), "refused");
    EXPECT_EQ(binary(Wire{}.int32(1).int32(-1).int32(-1)), "refused");
    EXPECT_EQ(binary(Wire{}.int32(1).sized("a")), "refused");
    EXPECT_EQ(binary(Wire{}.int32(1).sized("a").int32(-2)), "refused");
    EXPECT_EQ(binary(Wire{}.int32(1).sized("a").int32(0x7FFFFFFF)), "refused");
    EXPECT_EQ(binary(Wire{}.int32(0).int8(0)), "refused");
}

}  // namespace
}  // namespace pgc
