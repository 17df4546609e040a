#include "format/debezium/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"
#include "format/options.h"
#include "support/options_fixture.h"

namespace pgc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DebeziumOptionsTest : public test::OptionsFixture {
protected:
    DebeziumOptionsTest()
        : OptionsFixture({kFormatOptions, kDebeziumOptions},
                         {{"PG_CAPTURE_FORMAT_TYPE", "debezium"}}) {}

    NamedColumns keys() { return made(debezium_message_keys); }
};

TEST_F(DebeziumOptionsTest, TheTableIsSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(DebeziumOptionsTest, APlaceholderIsATextOrPairsOfHexadecimalDigits) {
    for (const char* good : {"gone", "hex", "hex:", "hex:00fF"}) {
        give("format.debezium.unavailable_value_placeholder", good);
        EXPECT_THAT(errors(), IsEmpty()) << good;
    }
    for (const char* bad : {"hex:0", "hex:0g", "hex: 00"}) {
        give("format.debezium.unavailable_value_placeholder", bad);
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("pairs of hexadecimal digits"))) << bad;
    }
}

TEST_F(DebeziumOptionsTest, MessageKeysAreDebeziums) {
    EXPECT_TRUE(keys().empty());
    give("format.debezium.message_key_columns",
         "inventory.customers:pk1,pk2;(.*).purchaseorders:pk3");
    EXPECT_THAT(keys().of("inventory", "customers"), ElementsAre("pk1", "pk2"));
    EXPECT_THAT(keys().of("a", "purchaseorders"), ElementsAre("pk3"));
    EXPECT_THAT(keys().of("a", "other"), IsEmpty());
}

TEST_F(DebeziumOptionsTest, MessageKeysThatCantBeReadAreRefusedWhereTheyStand) {
    ASSERT_TRUE(files.replace("shop.yaml",
                              "format:\n"
                              "  type: debezium\n"
                              "  debezium:\n"
                              "    message_key_columns: \"a.(b:c\"\n"));
    const auto settings = pgc::load(declarations, {"shop.yaml", {}, {}}, files);
    ASSERT_FALSE(settings);
    ASSERT_EQ(settings.error().size(), 1U);
    const auto& error = *settings.error().begin();
    EXPECT_EQ(error.where, "shop.yaml:4");
    EXPECT_THAT(describe(error), AllOf(HasSubstr("format.debezium.message_key_columns"),
                                       HasSubstr("a ( is not closed")));
}

TEST_F(DebeziumOptionsTest, MessageKeysOfDebeziumAreNoneOfTheNativeFormat) {
    give("format.type", "native");
    give("format.debezium.message_key_columns", "a.b:c");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("it is about messages of Debezium's form")));
}

}  // namespace
}  // namespace pgc
