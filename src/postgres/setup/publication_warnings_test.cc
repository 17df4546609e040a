#include "postgres/setup/publication_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/setup/publication.h"
#include "support/publication_fixture.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Tables and publication are looked at one after the other.
TEST_F(PublicationKeeperTest, ATableThatGoesWhileWeLookIsNoGap) {
    config.manage_publication = false;
    include("public.*");
    server.answers_once("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"},
                                                              {.schema = "public", .name = "b"}}));
    ASSERT_TRUE(round());
    EXPECT_EQ(lines.text, "");
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"},
                                                         {.schema = "public", .name = "c"}}));
    signature("two");
    ASSERT_TRUE(round());
    EXPECT_THAT(lines.text, HasSubstr("match the filters but are not in the publication"));
    lines.text.clear();
    signature("three");
    ASSERT_TRUE(round());
    EXPECT_EQ(lines.text, "") << "once";
}

TEST_F(PublicationKeeperTest, BesideAnOldSlotWhatHasNoIdentityStaysOut) {
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.answers("publication members */", fake_members({{"t", "public", "a"}}));
    server.answers("pg-capture: tables */",
                   fake_tables({{.schema = "public", .name = "a"},
                                {.schema = "public", .name = "bare", .keyed = false}}));
    const auto state = round();
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_THAT(state->publications, ElementsAre("pub"));
    EXPECT_EQ(server.count("ADD TABLE"), 0);
    EXPECT_THAT(lines.text, HasSubstr("begin with a new slot"));
}

TEST_F(PublicationKeeperTest, OneOfOthersIsUsedAsItIsWithAWarning) {
    include("public.?");
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", std::nullopt}}));
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"},
                                                         {.schema = "public", .name = "b"}}));
    const auto state = round();
    ASSERT_TRUE(state);
    EXPECT_FALSE(state->maintained);
    EXPECT_EQ(server.count("ALTER PUBLICATION"), 0);
    EXPECT_THAT(lines.text, HasSubstr("ADD TABLE \\\"public\\\".\\\"b\\\";"));
}

TEST_F(PublicationKeeperTest, WhoManagesItHimselfAndFiltersNothingIsNotWarned) {
    config.manage_publication = false;
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"},
                                                         {.schema = "public", .name = "b"}}));
    const auto state = round();
    ASSERT_TRUE(state);
    EXPECT_FALSE(state->maintained);
    EXPECT_EQ(lines.text, "");
}

TEST_F(PublicationKeeperTest, WhatIsCapturedIsToldOfAnyPublication) {
    include("public.root");
    config.manage_publication = false;
    const FakeTable root{.schema = "public", .name = "root", .kind = "p", .has_children = true};
    FakeTable leaf{.schema = "public", .name = "leaf", .rewritten = true};
    server.answers("pg-capture: publication */", fake_publication({{"note", std::nullopt}}));
    server.answers("pg-capture: tables */", fake_tables({root, leaf}));
    server.answers("published tables */", fake_published({{"public", "leaf"}}));
    auto state = round();
    ASSERT_TRUE(state);
    EXPECT_THAT(state->covered.tables, IsEmpty()) << "no filter means it by itself";
    EXPECT_FALSE(state->covered.all) << "the filter may leave one out that is created";
    leaf.parent = "root";
    signature("two");
    server.answers("pg-capture: tables */", fake_tables({root, leaf}));
    state = round();
    ASSERT_TRUE(state);
    ASSERT_EQ(state->covered.tables.size(), 1U);
    EXPECT_EQ(state->covered.tables[0].name, "\"public\".\"leaf\"");
    EXPECT_FALSE(state->covered.tables[0].pristine);
    state = round();
    ASSERT_TRUE(state);
    EXPECT_EQ(state->covered.tables.size(), 1U) << "also where nothing has changed";
    config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, {}};
    signature("three");
    EXPECT_TRUE(round()->covered.all);
}

TEST_F(PublicationKeeperTest, TablesWithoutIdentityAreWarnedAboutOnce) {
    server.answers("pg-capture: tables */",
                   fake_tables({{.schema = "public", .name = "a", .keyed = false}}));
    ASSERT_TRUE(round());
    EXPECT_THAT(lines.text, HasSubstr("no replica identity"));
    lines.text.clear();
    signature("two");
    ASSERT_TRUE(round());
    EXPECT_EQ(lines.text, "");
}

TEST_F(PublicationKeeperTest, AnEmptyPublicationIsWarnedAbout) {
    server.answers("published tables */", fake_published({}));
    ASSERT_TRUE(round());
    EXPECT_THAT(lines.text, HasSubstr("no table is published"));
}

}  // namespace
}  // namespace pgc
