#include "postgres/setup/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"

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

std::vector<TableInfo> tables(const std::vector<FakeTable>& fakes) {
    auto read = read_tables(fake_tables(fakes));
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
const std::vector<FakeTable> kShop{
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
    std::vector<const TableInfo*> named;
    for (const ChosenTable& one : chosen_tables(all, f, version, via_root)) {
        EXPECT_FALSE(one.inserts_only);
        named.push_back(one.table);
    }
    return names(named);
}

// names, those for inserts only with a "*"
std::vector<std::string> apart(const std::vector<FakeTable>& fakes, bool via_root,
                               bool may_be_apart = true) {
    const auto all = tables(fakes);
    std::vector<std::string> reported;
    for (const ChosenTable& one :
         chosen_tables(all, filter({"*.*"}), 150000, via_root, may_be_apart)) {
        reported.push_back(one.table->name + (one.inserts_only ? "*" : ""));
    }
    return reported;
}

TEST(TablesTest, WhatUpdatesCannotNameIsForInsertsOnly) {
    const FakeTable root{.schema = "s", .name = "root", .kind = "p", .has_children = true};
    const FakeTable keyed{.schema = "s", .name = "keyed", .parent = "root"};
    const FakeTable bare{.schema = "s", .name = "bare", .parent = "root", .keyed = false};
    EXPECT_THAT(apart({{.schema = "s", .name = "a", .keyed = false},
                       {.schema = "s", .name = "b", .identity = "f", .keyed = false},
                       {.schema = "s", .name = "c", .identity = "n"}},
                      false),
                ElementsAre("a*", "b", "c*"));
    EXPECT_THAT(apart({root, keyed}, false), ElementsAre("root"));
    EXPECT_THAT(apart({root, bare}, false), ElementsAre("root*"));
    EXPECT_THAT(apart({root, keyed, bare}, false), ElementsAre("keyed", "bare*"));
    EXPECT_THAT(apart({root, keyed, bare}, true), ElementsAre("root*"));
    EXPECT_THAT(apart({root, keyed, bare}, false, false), ElementsAre("root*"));
    FakeTable without = root;
    without.keyed = false;
    EXPECT_THAT(apart({root}, false), ElementsAre("root"));
    EXPECT_THAT(apart({without}, false), ElementsAre("root*")) << "its partitions have no key";
}

TEST(TablesTest, TheRegistrysOwnTablesAreNotPublished) {
    EXPECT_THAT(apart({{.schema = "cdc_registry", .name = "file_log"},
                       {.schema = "cdc_registry", .name = "keyless", .keyed = false},
                       {.schema = "s", .name = "a"}},
                      false),
                ElementsAre("a"));
}

TEST(TablesTest, RowsAreCapturedUnderTheNameTheyAreShownUnder) {
    const FakeTable root{.schema = "s", .name = "root", .kind = "p", .has_children = true};
    const FakeTable leaf{.schema = "s", .name = "leaf", .parent = "root"};
    const FakeTable off{.schema = "s", .name = "off", .parent = "root", .unlogged = true};
    const FakeTable moved{.schema = "s", .name = "moved", .rewritten = true};
    const auto all = tables({root, leaf, off, moved});
    const auto reported = [&](const TableFilter& filter, const std::vector<std::string>& published,
                              bool via_root) {
        std::vector<std::string> names;
        for (const auto& t :
             covered_tables(all, filter, {.published = published, .via_root = via_root}).tables) {
            names.push_back(t.name + (t.pristine ? "" : "*"));
        }
        return names;
    };
    const std::string by_root = R"("s"."root")";
    const std::string by_leaf = R"("s"."leaf")";
    const std::string by_moved = R"("s"."moved")";
    EXPECT_THAT(reported(filter({"*.*"}), {by_leaf, by_moved}, false),
                ElementsAre(by_leaf, by_moved + '*'));
    EXPECT_THAT(reported(filter({"*.*"}), {by_root}, true), ElementsAre(by_leaf + '*'));
    EXPECT_THAT(reported(filter({"*.*"}, {"*.leaf"}), {by_root}, true), ElementsAre(by_leaf + '*'));
    EXPECT_THAT(reported(filter({"*.leaf"}), {by_root}, true), testing::IsEmpty());
    EXPECT_THAT(reported(filter({"s.root"}), {by_leaf, by_moved}, false), ElementsAre(by_leaf));
    EXPECT_THAT(reported(filter({"s.root"}, {"*.leaf"}), {by_leaf}, false), testing::IsEmpty());
}

TEST(TablesTest, WhatAttachedAPartitionCountsWhereItIsCapturedForItsRoot) {
    const FakeTable root{.schema = "s", .name = "root", .kind = "p", .has_children = true};
    FakeTable middle = root;
    middle.name = "middle";
    middle.parent = "root";
    middle.attached_by = 700;
    const FakeTable leaf{.schema = "s", .name = "leaf", .parent = "middle", .attached_by = 800};
    const std::vector<std::string> published{R"("s"."leaf")"};
    const auto by = [&](const std::vector<FakeTable>& fakes, const TableFilter& chosen, bool all,
                        bool listed) {
        return covered_tables(tables(fakes), chosen,
                              {.published = published,
                               .all = all,
                               .by_itself = [&](const TableInfo&) { return listed; }})
            .tables.front()
            .attached_by;
    };
    const auto first = by({root, middle, leaf}, filter({"*.*"}), false, false);
    EXPECT_NE(first, 0U);
    middle.attached_by = 801;
    EXPECT_NE(by({root, middle, leaf}, filter({"*.*"}), false, false), first);
    EXPECT_EQ(by({root, middle, leaf}, filter({"*.*"}), true, false), 0U);
    EXPECT_EQ(by({root, middle, leaf}, filter({"*.*"}), false, true), 0U);
    EXPECT_NE(by({root, middle, leaf}, filter({"s.root"}), true, false), 0U);
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
    EXPECT_FALSE(read_tables(fake_rows({"oid"}, {{"1"}})));
}

}  // namespace
}  // namespace pgc
