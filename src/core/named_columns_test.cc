#include "core/named_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/changes.h"

namespace pgc {
namespace {

using test::column;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

NamedColumns debezium(std::string_view text) {
    auto named = NamedColumns::of_debezium("format.debezium.message_key_columns", text);
    EXPECT_TRUE(named) << (named ? "" : named.error());
    return named ? *named : NamedColumns{};
}

Relation orders() {
    Relation relation;
    relation.schema = "public";
    relation.name = "orders";
    relation.columns = {column("a"), column("b"), column("c")};
    return relation;
}

TEST(NamedColumnsTest, NoneAreNamedAtFirst) {
    EXPECT_TRUE(NamedColumns{}.empty());
    EXPECT_TRUE(debezium("").empty());
    EXPECT_THAT(NamedColumns{}.of("public", "orders"), IsEmpty());
    EXPECT_THAT(*NamedColumns{}.places_in(orders()), IsEmpty());
}

TEST(NamedColumnsTest, ByGlobsTheyStandInTheOrderGiven) {
    const auto named = NamedColumns::of_map("source.message_keys", {{"public.orders", "c+a+c"}});
    EXPECT_THAT(*named.places_in(orders()), ElementsAre(2U, 0U));
    EXPECT_THAT(named.of("public", "other"), IsEmpty());
}

TEST(NamedColumnsTest, ATablesOwnNameCountsBeforePatterns) {
    const auto named = NamedColumns::of_map(
        "source.message_keys", {{"*.*", "x"}, {"public.*", "y"}, {"public.orders", "a"}});
    EXPECT_THAT(named.of("public", "orders"), ElementsAre("a"));
    EXPECT_THAT(named.of("public", "users"), ElementsAre("x"));
}

TEST(NamedColumnsTest, ByExpressionsTheColumnsOfAllThatMatchCount) {
    const auto named = debezium("public.orders:c ; (.*).orders:a,c;other.(?:x|y):b;");
    EXPECT_THAT(*named.places_in(orders()), ElementsAre(2U, 0U));
    EXPECT_THAT(named.of("other", "y"), ElementsAre("b"));
    EXPECT_THAT(named.of("public", "users"), IsEmpty());
}

TEST(NamedColumnsTest, SaysWhatIsWrongWithAnExpression) {
    const auto fault = [](std::string_view text) {
        const auto named = NamedColumns::of_debezium("o", text);
        EXPECT_FALSE(named) << text;
        return named ? std::string{} : named.error();
    };
    EXPECT_THAT(fault("public.orders"), HasSubstr("schema.table:column,column"));
    EXPECT_THAT(fault(":a"), HasSubstr("schema.table:column,column"));
    EXPECT_THAT(fault("a.b:x,,y"), HasSubstr("a column without a name"));
    EXPECT_THAT(fault("a.b:x;a.(c:x"), HasSubstr("\"a.(c\": a ( is not closed"));
}

TEST(NamedColumnsTest, AColumnHasToBeThereAndCaptured) {
    Relation relation = orders();
    relation.columns[1].captured = false;
    const auto missing = debezium("public.orders:d").places_in(relation);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().category, Error::Category::configuration);
    EXPECT_EQ(missing.error().what,
              "format.debezium.message_key_columns names the column d, which is not in the table");
    EXPECT_EQ(missing.error().where, "table public.orders");
    const auto excluded =
        NamedColumns::of_map("source.message_keys", {{"*.*", "b"}}).places_in(relation);
    ASSERT_FALSE(excluded);
    EXPECT_THAT(excluded.error().what, HasSubstr("column b, which is excluded from capture"));
    EXPECT_THAT(excluded.error().hint, HasSubstr("source.columns.exclude"));
}

}  // namespace
}  // namespace pgc
