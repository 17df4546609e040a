#include "postgres/catalog/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using testing::ElementsAre;

TableFilter filter(std::string_view include, std::string_view exclude) {
    return {{*NamePattern::parse(include, 2)}, {*NamePattern::parse(exclude, 2)}};
}

TEST(LineageTest, ATableIsMeantByItsOwnNameOrByOneAboveIt) {
    const Lineage above{{"public", "orders_eu"}, {"public", "orders"}};
    const auto selected = [&](std::string_view include, std::string_view exclude) {
        return filter_means(filter(include, exclude), "parts", "orders_eu_1", above);
    };
    EXPECT_TRUE(selected("parts.*", "x.x"));
    EXPECT_TRUE(selected("public.orders", "x.x"));
    EXPECT_TRUE(selected("public.orders_eu", "public.orders"));
    EXPECT_FALSE(selected("public.orders", "parts.*"));
    EXPECT_FALSE(selected("public.orders", "public.orders"));
    EXPECT_FALSE(selected("public.users", "x.x"));
}

TEST(LineageTest, TheOwnNameDecidesWhereItIsIncludedOrExcluded) {
    EXPECT_TRUE(filter_decides(filter("a.*", "b.*"), "a", "t"));
    EXPECT_TRUE(filter_decides(filter("a.*", "b.*"), "b", "t"));
    EXPECT_FALSE(filter_decides(filter("a.*", "b.*"), "c", "t"));
}

TEST(LineageTest, NamesAreReadWhateverTheyHold) {
    const auto above = read_lineage(R"("a"."b", "x"", ""y"."q.""z")");
    ASSERT_TRUE(above);
    EXPECT_THAT(*above, ElementsAre(TableName{"a", "b"}, TableName{R"(x", "y)", R"(q."z)"}));
    EXPECT_TRUE(read_lineage("")->empty());
    for (const auto* text :
         {"a", R"("a")", R"("a".)", R"("a"."b)", R"("a"."b",)", R"("a"."b" "c"."d")"}) {
        EXPECT_FALSE(read_lineage(text)) << text;
    }
}

}  // namespace
}  // namespace pgc
