#include "core/name_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

namespace pgc {
namespace {

using testing::ElementsAre;

bool matches(std::string_view pattern, std::string_view schema, std::string_view table) {
    const auto parsed = NamePattern::parse(pattern, 2);
    EXPECT_TRUE(parsed) << pattern;
    return parsed && parsed->matches(std::array{schema, table});
}

TableFilter filter(std::initializer_list<std::string_view> include,
                   std::initializer_list<std::string_view> exclude = {}) {
    const auto parsed = [](auto texts) {
        std::vector<NamePattern> patterns;
        for (const auto text : texts) patterns.push_back(*NamePattern::parse(text, 2));
        return patterns;
    };
    return {parsed(include), parsed(exclude)};
}

TEST(NamePatternTest, StarStandsForAnyRunAndQuestionMarkForOne) {
    EXPECT_TRUE(matches("public.*", "public", "users"));
    EXPECT_TRUE(matches("*.audit_*", "shop", "audit_"));
    EXPECT_TRUE(matches("shop.order_?", "shop", "order_1"));
    EXPECT_FALSE(matches("shop.order_?", "shop", "order_12"));
    EXPECT_FALSE(matches("shop.order_?", "shop", "order_"));
    EXPECT_TRUE(matches("*.*a*b*", "s", "xaxxbx"));
    EXPECT_FALSE(matches("*.*a*b", "s", "xaxxbx"));
}

TEST(NamePatternTest, CaseCounts) {
    EXPECT_FALSE(matches("public.users", "public", "Users"));
}

TEST(NamePatternTest, AQuestionMarkTakesAWholeCharacterOfManyBytes) {
    EXPECT_TRUE(matches("public.t?", "public", "tü"));
    EXPECT_FALSE(matches("public.t??", "public", "tü"));
}

TEST(NamePatternTest, QuotesProtectDotsAndStars) {
    EXPECT_TRUE(matches("\"My.Schema\".\"T*\"", "My.Schema", "T*"));
    EXPECT_FALSE(matches("\"My.Schema\".\"T*\"", "My.Schema", "Tx"));
    EXPECT_TRUE(matches("public.\"a\"\"b\"", "public", "a\"b"));
}

TEST(NamePatternTest, RefusesAnotherNumberOfParts) {
    EXPECT_FALSE(NamePattern::parse("users", 2));
    EXPECT_FALSE(NamePattern::parse("a.b.c", 2));
    EXPECT_FALSE(NamePattern::parse("a.b", 3));
}

TEST(NamePatternTest, RefusesWhatIsNoPattern) {
    for (const auto text : {"", ".", "a.", ".b", "a..b", "\"a.b", "\"a\"b.c", "a\"b.c", "a.b."}) {
        EXPECT_FALSE(NamePattern::parse(text, 2)) << text;
    }
}

TEST(NamePatternTest, ManyStarsStayFast) {
    EXPECT_FALSE(matches("*.a*a*a*a*a*a*a*a*a*a*b", "s", std::string(200, 'a')));
}

TEST(TableFilterTest, AnExclusionAlwaysWins) {
    const auto f = filter({"public.*"}, {"*.audit_*"});
    EXPECT_TRUE(f.matches("public", "users"));
    EXPECT_FALSE(f.matches("public", "audit_log"));
    EXPECT_FALSE(f.matches("shop", "users"));
}

TEST(TableFilterTest, EverythingMeansEveryTableOfTomorrowToo) {
    EXPECT_TRUE(filter({"*.*"}).everything());
    EXPECT_TRUE(filter({"public.users", "*.*"}).everything());
    EXPECT_FALSE(filter({"*.*"}, {"public.x"}).everything());
    EXPECT_FALSE(filter({"public.*"}).everything());
    EXPECT_FALSE(filter({"\"*\".\"*\""}).everything());
}

TEST(TableFilterTest, TheRegistrysOwnTablesAreNeverMeant) {
    for (const auto& any : {filter({"*.*"}), filter({"cdc_registry.file_log"}), TableFilter{}}) {
        EXPECT_FALSE(any.matches("cdc_registry", "file_log"));
        EXPECT_TRUE(any.excluded("cdc_registry", "file_log"));
        EXPECT_FALSE(any.names("cdc_registry", "file_log"));
    }
    EXPECT_FALSE(filter({"public.*", "cdc_registry.*"}).whole_schemas());
    EXPECT_TRUE(filter({"*.*"}).matches("CDC_REGISTRY", "file_log"));
}

TEST(TableFilterTest, WholeSchemasAreKnownWhenNothingElseIsSaid) {
    EXPECT_THAT(filter({"public.*", "\"My.S\".*", "public.*"}).whole_schemas().value(),
                ElementsAre("public", "My.S"));
    EXPECT_FALSE(filter({"public.*", "shop.orders"}).whole_schemas());
    EXPECT_FALSE(filter({"pub*.*"}).whole_schemas());
    EXPECT_FALSE(filter({"public.*"}, {"*.audit"}).whole_schemas());
}

TEST(ColumnFilterTest, LeavesOutByAllThreeParts) {
    const ColumnFilter columns{
        {*NamePattern::parse("public.users.ssn", 3), *NamePattern::parse("*.*.password", 3)}};
    EXPECT_TRUE(columns.excluded("public", "users", "ssn"));
    EXPECT_TRUE(columns.excluded("shop", "logins", "password"));
    EXPECT_FALSE(columns.excluded("shop", "users", "ssn"));
    EXPECT_FALSE(columns.empty());
    EXPECT_TRUE(ColumnFilter{}.empty());
}

TEST(NamePatternTest, IsWrittenAsAPatternOfSqlToo) {
    const auto pattern = *NamePattern::parse("a_b*.\"50%_*\\\"", 2);
    EXPECT_EQ(pattern.like(0), "a\\_b%");
    EXPECT_EQ(pattern.like(1), "50\\%\\_*\\\\");
}

TEST(TableFilterTest, NamesATableThatAPatternMeansAlone) {
    const TableFilter filter{{*NamePattern::parse("public.orders", 2),
                              *NamePattern::parse("shop.*", 2), *NamePattern::parse("a.b", 2)},
                             {*NamePattern::parse("a.*", 2)}};
    EXPECT_TRUE(filter.names("public", "orders"));
    EXPECT_FALSE(filter.names("shop", "orders"));
    EXPECT_FALSE(filter.names("a", "b")) << "excluded";
}

TEST(ColumnNamesTest, AreJoinedByPlus) {
    EXPECT_EQ(column_names("a + b"), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(column_names(""));
    EXPECT_FALSE(column_names("a++b"));
}

}  // namespace
}  // namespace pgc
