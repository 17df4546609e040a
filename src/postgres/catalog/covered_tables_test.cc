#include "postgres/catalog/covered_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CoveredTables now(bool all, std::vector<CoveredTable> tables) {
    return {.all = all, .tables = std::move(tables)};
}

std::vector<std::string> names(const KnownTables& before, const CoveredTables& covered) {
    std::vector<std::string> names;
    for (CoveredTable& table : come_since(before, covered)) names.push_back(std::move(table.name));
    return names;
}

TEST(CoveredTablesTest, GivesBackWhatWasWritten) {
    for (const bool all : {false, true}) {
        for (const std::vector<KnownTables::Table>& tables :
             {std::vector<KnownTables::Table>{},
              {{Oid{1}, 7}},
              {{Oid{16384}}, {Oid{16385}, 4294967295U}, {Oid{4294967295U}}}}) {
            const KnownTables known{.all = all, .tables = tables};
            EXPECT_EQ(read_known(write_known(known)), known) << write_known(known);
            EXPECT_EQ(read_known("other 1\n" + write_known(known) + "\nmore"), known);
        }
    }
}

TEST(CoveredTablesTest, LooksAsDocumented) {
    EXPECT_EQ(
        write_known({.all = false, .tables = {{Oid{16384}}, {Oid{16387}, 771}, {Oid{16388}}}}),
        "captured 16384,3*771,1");
    EXPECT_EQ(write_known({.all = true, .tables = {}}), "captured all -");
}

TEST(CoveredTablesTest, WhatIsNotOneIsNotGuessed) {
    for (const auto* text : {"", "captured", "captured ", "captured all", "captured 1,",
                             "captured 1,0", "captured ,1", "captured x", "captured 4294967295,1",
                             "captured 1 2", "captured 1*", "captured 1*0", "captured 1*2*3"}) {
        EXPECT_EQ(read_known(text), std::nullopt) << text;
    }
}

TEST(CoveredTablesTest, ItHasABound) {
    KnownTables many;
    for (std::uint32_t i = 1; i < 200'000; ++i) many.tables.push_back({Oid{i * 10}});
    EXPECT_EQ(write_known(many), "");
    many.tables.resize(20'000);
    EXPECT_EQ(read_known(write_known(many)), many);
}

TEST(CoveredTablesTest, WhatWasNotCapturedBeforeHasCome) {
    const KnownTables before{.all = false, .tables = {{Oid{1}}, {Oid{3}}}};
    EXPECT_THAT(names(before, now(false, {{Oid{1}, "a"}, {Oid{2}, "b"}, {Oid{4}, "d", true}})),
                ElementsAre("b", "d"));
    EXPECT_THAT(names(before, now(true, {{Oid{2}, "b", true}})), ElementsAre("b"));
}

TEST(CoveredTablesTest, WhereAllAreCapturedANewOneWasFromItsFirstRow) {
    const KnownTables before{.all = true, .tables = {{Oid{1}}}};
    EXPECT_THAT(names(before, now(true, {{Oid{1}, "a"}, {Oid{2}, "b", true}})), IsEmpty());
    EXPECT_THAT(names(before, now(true, {{Oid{2}, "b", false}})), ElementsAre("b"));
    EXPECT_THAT(names(before, now(false, {{Oid{2}, "b", true}})), ElementsAre("b"));
}

TEST(CoveredTablesTest, APartitionThatWasOffMeanwhileHasCome) {
    const KnownTables before{.all = false, .tables = {{Oid{1}, 700}, {Oid{2}}, {Oid{3}, 700}}};
    const auto at = [&](std::uint32_t by) {
        return names(before, now(false, {{Oid{1}, "a", false, by}}));
    };
    EXPECT_THAT(at(700), IsEmpty());
    EXPECT_THAT(at(701), ElementsAre("a"));
    EXPECT_THAT(at(0), IsEmpty()) << "it is captured for its own sake now";
    EXPECT_THAT(names(before, now(false, {{Oid{2}, "b", false, 9}})), IsEmpty());
}

}  // namespace
}  // namespace pgc
