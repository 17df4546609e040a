#include "postgres/setup/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/played_server.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TableFilter filter(const std::vector<std::string_view>& include,
                   const std::vector<std::string_view>& exclude = {}) {
    const auto parsed = [](const auto& texts) {
        std::vector<NamePattern> patterns;
        patterns.reserve(texts.size());
        for (const auto text : texts) patterns.push_back(*NamePattern::parse(text, 2));
        return patterns;
    };
    return {parsed(include), parsed(exclude)};
}

std::vector<TableInfo> tables(const std::vector<PlayedTable>& played) {
    auto read = read_tables(played_tables(played));
    EXPECT_TRUE(read);
    return std::move(*read);
}

std::vector<std::string> names(const std::vector<const TableInfo*>& chosen) {
    std::vector<std::string> all;
    all.reserve(chosen.size());
    for (const TableInfo* table : chosen) all.push_back(table->schema + "." + table->name);
    return all;
}

// A table partitioned in two levels, and two plain ones.
const std::vector<PlayedTable> kShop{
    {.schema = "public", .name = "orders", .kind = "p", .has_children = true},
    {.schema = "public",
     .name = "orders_eu",
     .kind = "p",
     .parent = "orders",
     .has_children = true},
    {.schema = "public", .name = "orders_eu_1", .parent = "orders_eu"},
    {.schema = "public", .name = "orders_us", .parent = "orders"},
    {.schema = "public", .name = "users"},
    {.schema = "shop", .name = "cache", .unlogged = true}};

std::vector<std::string> chosen(const TableFilter& f, int version, bool via_root) {
    const auto all = tables(kShop);
    return names(chosen_tables(all, f, version, via_root));
}

TEST(TablesTest, APartitionedTableStandsForItsPartitions) {
    EXPECT_THAT(chosen(filter({"*.*"}), 130000, false),
                ElementsAre("public.orders", "public.users"));
    EXPECT_THAT(chosen(filter({"*.*"}), 130000, true),
                ElementsAre("public.orders", "public.users"));
}

TEST(TablesTest, Before13OnlyTheTablesWithRowsAreNamed) {
    EXPECT_THAT(chosen(filter({"*.*"}), 120000, false),
                ElementsAre("public.orders_eu_1", "public.orders_us", "public.users"));
    EXPECT_THAT(chosen(filter({"public.orders"}), 120000, false),
                ElementsAre("public.orders_eu_1", "public.orders_us"));
}

TEST(TablesTest, AnExcludedPartitionIsLeftOutByNamingTheOthers) {
    EXPECT_THAT(chosen(filter({"public.orders"}, {"*.orders_us"}), 130000, false),
                ElementsAre("public.orders_eu"));
    EXPECT_THAT(chosen(filter({"public.orders"}, {"*.orders_eu_1"}), 130000, false),
                ElementsAre("public.orders_us"));
}

TEST(TablesTest, UnderTheRootsNameAPartitionCantBeLeftOut) {
    EXPECT_THAT(chosen(filter({"public.orders"}, {"*.orders_us"}), 130000, true),
                ElementsAre("public.orders"));
}

TEST(TablesTest, APartitionMayBeMeantAlone) {
    EXPECT_THAT(chosen(filter({"public.orders_us"}), 150000, false),
                ElementsAre("public.orders_us"));
}

TEST(TablesTest, UnloggedTablesAreNeverMeant) {
    EXPECT_THAT(chosen(filter({"shop.*"}), 150000, false), IsEmpty());
}

TEST(TablesTest, ATableIsCoveredByAnythingAboveIt) {
    const auto all = tables(kShop);
    const auto f = filter({"public.*"});
    EXPECT_THAT(names(uncovered_tables(all, f, {"\"public\".\"orders\""})),
                ElementsAre("public.users"));
    EXPECT_THAT(
        names(uncovered_tables(all, f, {"\"public\".\"orders_eu_1\"", "\"public\".\"users\""})),
        ElementsAre("public.orders_us"));
}

TEST(TablesTest, ATableIsNotCoveredByOneUnderWhoseNameItIsLeftOut) {
    const auto all = tables(kShop);
    EXPECT_THAT(
        names(uncovered_tables(all, filter({"public.orders_us"}), {"\"public\".\"orders\""})),
        ElementsAre("public.orders_us"));
}

TEST(TablesTest, IdentityDecidesWhetherUpdatesAreAllowed) {
    const auto all = tables({{.schema = "s", .name = "keyed"},
                             {.schema = "s", .name = "keyless", .keyed = false},
                             {.schema = "s", .name = "full", .identity = "f", .keyed = false},
                             {.schema = "s", .name = "nothing", .identity = "n"},
                             {.schema = "s", .name = "index", .identity = "i"}});
    std::vector<bool> identifiable;
    identifiable.reserve(all.size());
    for (const auto& table : all) identifiable.push_back(table.identifiable());
    EXPECT_THAT(identifiable, ElementsAre(true, false, true, false, true));
}

TEST(TablesTest, AStrangeAnswerIsAnError) {
    EXPECT_FALSE(read_tables(played_rows({"oid"}, {{"1"}})));
}

}  // namespace
}  // namespace pgc
