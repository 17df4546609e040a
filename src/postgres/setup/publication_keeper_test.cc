#include "postgres/setup/publication_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/log.h"
#include "postgres/setup/publication.h"
#include "support/fake_server.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Lines final : public LogLines {
public:
    void write(std::string_view line) noexcept override { text += line; }
    std::string text;
};

class PublicationKeeperTest : public testing::Test {
protected:
    void SetUp() override {
        config.publication = "pub";
        config.pipeline = "shop";
        config.slot = "shop_slot";
        config.connection.database = "shop";
        config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, {}};
        signature("one");
        server.answers("pg-capture: server */", fake_facts());
        server.answers("pg-capture: publication */", fake_publication());
        server.answers("publication of inserts */", no_publication());
        server.answers("publication members */", fake_members({}));
        server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"}}));
        server.answers("published tables */", fake_published({{"public", "a"}}));
        server.answers("CREATE PUBLICATION", Rows{});
        server.answers("ALTER PUBLICATION", Rows{});
    }

    void signature(const std::string& text) {
        server.answers("publication signature */", fake_row({{"signature", text}}));
    }
    void include(std::string_view pattern) {
        config.tables = TableFilter{{*NamePattern::parse(pattern, 2)}, {}};
        config.tables_given = true;
    }
    // The publication is not there until somebody makes it.
    void nothing_there() {
        server.answers("pg-capture: publication */", fake_publication());
        server.answers_once("pg-capture: publication */", no_publication());
    }

    Result<PublicationState> round(bool may_create = false) {
        if (!keeper) keeper.emplace(config, server.version, log.logger("postgres"));
        if (auto begun = keeper->begin(link, may_create); !begun)
            return std::unexpected(begun.error());
        for (int i = 0; i < 100; ++i) {
            auto state = keeper->step(link);
            if (!state) return std::unexpected(state.error());
            if (*state) return **state;
        }
        return std::unexpected(stop(Error::Category::internal, "no end"));
    }

    ManualClock clock;
    Lines lines;
    Log log{LogOptions{}, lines, clock};
    PostgresConfig config;
    FakeServer server;
    FakeLink link{server, LinkFactory::Use::sql};
    std::optional<PublicationKeeper> keeper;
};

TEST_F(PublicationKeeperTest, AGoodPublicationIsLeftAlone) {
    const auto state = round();
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_TRUE(state->maintained);
    EXPECT_FALSE(state->created);
    EXPECT_THAT(state->tables, ElementsAre("\"public\".\"a\""));
    EXPECT_THAT(state->added, IsEmpty());
    EXPECT_EQ(server.count("PUBLICATION \""), 0);
    EXPECT_EQ(lines.text, "");
}

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

TEST_F(PublicationKeeperTest, LateAnswersAreWaitedFor) {
    server.slow = true;
    EXPECT_TRUE(round());
}

TEST_F(PublicationKeeperTest, AMissingOneIsMadeFromTheFilters) {
    nothing_there();
    const auto state = round(true);
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_TRUE(state->created);
    EXPECT_EQ(server.count("CREATE PUBLICATION \"pub\" FOR TABLE \"public\".\"a\""), 1);
    // Both by one string, which is one transaction.
    EXPECT_EQ(server.count("CREATE PUBLICATION \"pub_inserts\" WITH (publish = 'insert, truncate'"),
              1);
    EXPECT_EQ(server.place("CREATE PUBLICATION \"pub\""),
              server.place("CREATE PUBLICATION \"pub_inserts\""));
    EXPECT_THAT(lines.text, HasSubstr("publication created"));
}

constexpr auto kWithInserts =
    R"(maintained by pg-capture for pipeline "shop", slot "shop_slot", with "pub_inserts")";

TEST_F(PublicationKeeperTest, ATableMovesBetweenTheTwoInOneTransaction) {
    config.snapshot.new_tables = false;
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", kWithInserts}}));
    server.answers("publication members */", fake_members({{"t", "public", "a"}}));
    server.answers("publication of inserts */",
                   fake_publication({{"all_tables", "f"}, {"updates", "f"}, {"deletes", "f"}}));
    server.answers("members of inserts */", fake_members({{"t", "public", "b"}}));
    server.answers("pg-capture: tables */",
                   fake_tables({{.schema = "public", .name = "a", .keyed = false},
                                {.schema = "public", .name = "b"}}));
    const auto state = round();
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_THAT(state->publications, ElementsAre("pub", "pub_inserts"));
    EXPECT_EQ(server.count("ALTER PUBLICATION \"pub\" DROP TABLE ONLY \"public\".\"a\"; "
                           "ALTER PUBLICATION \"pub\" ADD TABLE \"public\".\"b\"; "
                           "ALTER PUBLICATION \"pub_inserts\" DROP TABLE ONLY \"public\".\"b\"; "
                           "ALTER PUBLICATION \"pub_inserts\" ADD TABLE \"public\".\"a\";"),
              1);
    EXPECT_THAT(lines.text, HasSubstr("updates and deletes are not"));
}

TEST_F(PublicationKeeperTest, WithoutTheSecondOneThatTheSlotReadsItStops) {
    server.answers("pg-capture: publication */", fake_publication({{"note", kWithInserts}}));
    const auto state = round();
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().category, Error::Category::position);
    EXPECT_EQ(state.error().next, Error::Next::stop);
    EXPECT_THAT(state.error().what, HasSubstr("\"pub_inserts\""));
    EXPECT_EQ(server.count("CREATE PUBLICATION"), 0);
}

TEST_F(PublicationKeeperTest, ANameThatIsTakenIsSaid) {
    nothing_there();
    server.answers("publication of inserts */", fake_publication({{"note", std::nullopt}}));
    server.answers("members of inserts */", fake_members({}));
    const auto state = round(true);
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().what, HasSubstr("\"pub_inserts\" is not ours"));
    EXPECT_THAT(state.error().hint, HasSubstr("PG_PUBLICATION"));
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

TEST_F(PublicationKeeperTest, AMissingOneStopsWhereTheSlotIsOlder) {
    server.answers("pg-capture: publication */", no_publication());
    const auto state = round(false);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().category, Error::Category::position);
    EXPECT_EQ(state.error().next, Error::Next::stop);
    EXPECT_THAT(state.error().what, HasSubstr("\"pub\""));
}

TEST_F(PublicationKeeperTest, WithoutThePrivilegeTheExactSqlIsSaid) {
    nothing_there();
    server.answers("pg-capture: server */", fake_facts({{"superuser", "f"}, {"may_create", "f"}}));
    const auto state = round(true);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().category, Error::Category::permission);
    EXPECT_THAT(state.error().hint, HasSubstr("GRANT CREATE ON DATABASE \"shop\" TO \"cdc\""));
    EXPECT_THAT(state.error().hint,
                HasSubstr("CREATE PUBLICATION \"pub\" FOR TABLE \"public\".\"a\""));
    EXPECT_THAT(state.error().hint, Not(HasSubstr("COMMENT")));
}

TEST_F(PublicationKeeperTest, WhoeverManagesItHimselfIsToldWhatToMake) {
    config.manage_publication = false;
    nothing_there();
    const auto state = round(true);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().category, Error::Category::configuration);
    EXPECT_THAT(state.error().hint,
                HasSubstr("CREATE PUBLICATION \"pub\" FOR TABLE \"public\".\"a\""));
    EXPECT_EQ(server.count("CREATE PUBLICATION"), 0);
}

TEST_F(PublicationKeeperTest, TablesOfOthersAreForTheirOwnersToPublish) {
    nothing_there();
    server.refuses("CREATE PUBLICATION", "42501",
                   stop(Error::Category::permission, "must be owner of table a"));
    const auto state = round(true);
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().hint, HasSubstr("let the tables' owner or a superuser run"));
}

TEST_F(PublicationKeeperTest, OursIsBroughtInStep) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.answers("publication members */", fake_members({{"t", "public", "a"}}));
    server.answers_once("publication members */", fake_members({{"t", "public", "x"}}));
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("DROP TABLE ONLY \"public\".\"x\"; ALTER PUBLICATION \"pub\" ADD TABLE "
                           "\"public\".\"a\";"),
              1);
}

TEST_F(PublicationKeeperTest, OneThatStaysWrongIsAlteredOnlyOnceARound) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ADD TABLE"), 1);
}

TEST_F(PublicationKeeperTest, OneOfAnotherPipelineIsLeftAloneAndRefused) {
    include("public.?");
    server.answers("pg-capture: publication */",
                   fake_publication(
                       {{"note", R"(maintained by pg-capture for pipeline "x", slot "x_slot")"}}));
    const auto state = round();
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().category, Error::Category::configuration);
    EXPECT_EQ(server.count("ALTER PUBLICATION") + server.count("DROP PUBLICATION"), 0);
    config.manage_publication = false;
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ALTER PUBLICATION") + server.count("DROP PUBLICATION"), 0);
}

TEST_F(PublicationKeeperTest, OneOfAnEarlierVersionGetsUsAsItsOwner) {
    server.answers("COMMENT ON", Rows{});
    server.answers_once("pg-capture: publication */",
                        fake_publication({{"note", "maintained by pg-capture"}}));
    ASSERT_TRUE(round());
    EXPECT_EQ(
        server.count("COMMENT ON PUBLICATION \"pub\" IS 'maintained by pg-capture for pipeline "
                     "\"shop\", slot \"shop_slot\"';"),
        1);
    EXPECT_EQ(server.count("IS NOT DISTINCT FROM 'maintained by pg-capture'"), 1);
}

TEST_F(PublicationKeeperTest, OneThatSomebodyElseMakesMeanwhileIsLookedAtAgain) {
    server.answers("pg-capture: publication */",
                   fake_publication(
                       {{"note", R"(maintained by pg-capture for pipeline "x", slot "x_slot")"}}));
    server.answers_once("pg-capture: publication */", no_publication());
    server.refuses("CREATE PUBLICATION", "42710", stop(Error::Category::server, "is there"));
    const auto state = round(true);
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().what, HasSubstr("maintained by pipeline \"x\""));
}

TEST_F(PublicationKeeperTest, AChangeThatComesTooLateIsMadeAnew) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.answers("ALTER PUBLICATION", Rows{});
    server.rules.push_back({"ALTER PUBLICATION",
                            std::unexpected(stop(Error::Category::server, "division by zero")),
                            std::string{kChangedMeanwhile}, 1});
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ADD TABLE"), 2);
}

// Of two tables "a" was published; what the server would say after an alteration that makes it two.
class JoiningTest : public PublicationKeeperTest {
protected:
    void SetUp() override {
        PublicationKeeperTest::SetUp();
        include("public.?");
        server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"},
                                                             {.schema = "public", .name = "b"}}));
        server.answers("COMMENT ON", Rows{});
        server.answers("ALTER PUBLICATION", Rows{});
        both_published(
            "maintained by pg-capture for pipeline \"shop\", slot \"shop_slot\"; rows yet to be "
            "read of: \"public\".\"b\"");
        server.answers_once("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
        server.answers_once("publication members */", fake_members({{"t", "public", "a"}}));
        server.answers_once("published tables */", fake_published({{"public", "a"}}));
    }
    void both_published(const std::string& note) {
        server.answers("pg-capture: publication */",
                       fake_publication({{"all_tables", "f"}, {"note", note}}));
        server.answers("publication members */",
                       fake_members({{"t", "public", "a"}, {"t", "public", "b"}}));
        server.answers("published tables */", fake_published({{"public", "a"}, {"public", "b"}}));
    }
    const std::string b = "\"public\".\"b\"";
};

TEST_F(JoiningTest, WhatJoinsIsNotedInTheSameTransaction) {
    const auto state = round();
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_THAT(state->joined, ElementsAre(b));
    EXPECT_EQ(
        server.count("ADD TABLE \"public\".\"b\"; COMMENT ON PUBLICATION \"pub\" IS 'maintained by "
                     "pg-capture for pipeline \"shop\", slot \"shop_slot\"; rows yet to be read "
                     "of: \"public\".\"b\"';"),
        1);
}

TEST_F(JoiningTest, ItIsToldByWhoeverLooksUntilItIsSettled) {
    ASSERT_TRUE(round());
    keeper.reset();
    EXPECT_THAT(round()->joined, ElementsAre(b));
    keeper->settle({b});
    EXPECT_THAT(round()->joined, IsEmpty());
    EXPECT_EQ(
        server.count("IS 'maintained by pg-capture for pipeline \"shop\", slot \"shop_slot\"';"),
        1);
    both_published("maintained by pg-capture for pipeline \"shop\", slot \"shop_slot\"");
    EXPECT_THAT(round()->joined, IsEmpty());
    EXPECT_EQ(server.count("COMMENT ON"), 2) << "there is nothing left to forget";
}

TEST_F(JoiningTest, WhatAppearsWhileTheFirstIsAddedIsAddedByTheNextRound) {
    const FakeTable table_a{.schema = "public", .name = "a"};
    const FakeTable table_b{.schema = "public", .name = "b"};
    server.answers("pg-capture: tables */",
                   fake_tables({table_a, table_b, {.schema = "public", .name = "c"}}));
    server.answers_once("pg-capture: tables */", fake_tables({table_a, table_b}));
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ADD TABLE \"public\".\"c\""), 0);
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ADD TABLE \"public\".\"c\""), 1);
    ASSERT_TRUE(round());
    EXPECT_EQ(server.count("ADD TABLE \"public\".\"c\""), 1) << "it stays wrong";
}

TEST_F(JoiningTest, WhatIsNotedAndNotPublishedIsForgotten) {
    ASSERT_TRUE(round());
    keeper.reset();
    both_published(
        "maintained by pg-capture for pipeline \"shop\", slot \"shop_slot\"; rows yet to be read "
        "of: \"x\".\"gone\", \"public\".\"b\"");
    EXPECT_THAT(round()->joined, ElementsAre(b));
    signature("two");
    ASSERT_TRUE(round());
    EXPECT_EQ(server.place("IS 'maintained by pg-capture for pipeline \"shop\", slot "
                           "\"shop_slot\"; rows yet to be read of: \"public\".\"b\"';"),
              server.place("COMMENT ON"));
    EXPECT_EQ(server.count("yet to be read of: \"public\".\"b\"';"), 2);
}

TEST_F(JoiningTest, NothingIsNotedWhereNewTablesAreNotRead) {
    config.snapshot.new_tables = false;
    const auto state = round();
    ASSERT_TRUE(state);
    EXPECT_THAT(state->joined, IsEmpty());
    EXPECT_EQ(server.count("ADD TABLE"), 1);
    EXPECT_EQ(server.count("COMMENT ON"), 0);
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

TEST_F(PublicationKeeperTest, ARefusedChangeIsToldOnceAndLivedWith) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.refuses("ALTER PUBLICATION", "42501",
                   stop(Error::Category::permission, "must be owner of table a"));
    ASSERT_TRUE(round());
    EXPECT_THAT(lines.text, HasSubstr("could not be updated"));
    signature("two");
    const auto still = round();
    ASSERT_TRUE(still);
    EXPECT_FALSE(still->in_step) << "it may hold what the filters leave out";
    EXPECT_TRUE(still->maintained) << "or nobody would notice when it can be fixed";
    EXPECT_EQ(server.count("ADD TABLE"), 1);
    signature("three");
    server.answers("publication members */", fake_members({{"t", "public", "a"}}));
    EXPECT_TRUE(round()->in_step);
}

TEST_F(PublicationKeeperTest, ALockIsNotWaitedForAndTheChangeIsTriedAgain) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.refuses("ALTER PUBLICATION", "55P03",
                   stop(Error::Category::server, "canceling statement due to lock timeout"));
    for (int i = 1; i <= 2; ++i) {
        const auto state = round();
        ASSERT_TRUE(state) << describe(state.error());
        EXPECT_FALSE(state->in_step);
        EXPECT_TRUE(state->maintained);
        EXPECT_EQ(server.count("SET LOCAL lock_timeout"), i);
    }
    EXPECT_THAT(lines.text, HasSubstr("pg_locks"));
    EXPECT_EQ(lines.text.find("could not be updated"), lines.text.rfind("could not be updated"))
        << "reported once";
    EXPECT_THAT(lines.text, Not(HasSubstr("not ours to alter")));
}

// The slot is about to be made, and would never see one that comes later.
TEST_F(PublicationKeeperTest, TheSecondOneIsMadeThoughATableCannotJoin) {
    include("public.?");
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", kWithInserts}}));
    server.answers_once("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    server.refuses("ALTER PUBLICATION", "42501",
                   stop(Error::Category::permission, "must be owner of table a"));
    server.answers("publication of inserts */",
                   fake_publication({{"all_tables", "f"}, {"updates", "f"}, {"deletes", "f"}}));
    server.answers_once("publication of inserts */", no_publication());
    server.answers("members of inserts */", fake_members({}));
    const auto state = round(true);
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_THAT(state->publications, ElementsAre("pub", "pub_inserts"));
    EXPECT_FALSE(state->in_step);
    EXPECT_EQ(server.count("ELSE 0 END; CREATE PUBLICATION \"pub_inserts\""), 1) << "by itself";
}

TEST_F(PublicationKeeperTest, WithoutTheRightToMakeASecondOneThereIsOne) {
    include("public.?");
    server.answers("pg-capture: publication */", fake_publication({{"all_tables", "f"}}));
    for (const auto* what : {"ALTER PUBLICATION", "CREATE PUBLICATION"}) {
        server.refuses(what, "42501", stop(Error::Category::permission, "permission denied"));
    }
    const auto state = round(true);
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_THAT(state->publications, ElementsAre("pub"));
    EXPECT_FALSE(state->in_step);
}

TEST_F(PublicationKeeperTest, ARoundWithoutChangesCostsOneQuery) {
    ASSERT_TRUE(round());
    const auto before = server.said.size();
    const auto state = round();
    ASSERT_TRUE(state);
    EXPECT_EQ(server.said.size(), before + 1);
    EXPECT_THAT(state->tables, ElementsAre("\"public\".\"a\""));
}

TEST_F(PublicationKeeperTest, NewAndGoneTablesAreToldApart) {
    ASSERT_TRUE(round());
    signature("two");
    server.answers("published tables */", fake_published({{"public", "later"}}));
    const auto state = round();
    ASSERT_TRUE(state);
    EXPECT_THAT(state->added, ElementsAre("\"public\".\"later\""));
    EXPECT_THAT(state->removed, ElementsAre("\"public\".\"a\""));
    EXPECT_THAT(lines.text, HasSubstr("later"));
    const auto again = round();
    ASSERT_TRUE(again);
    EXPECT_THAT(again->added, IsEmpty());
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

TEST_F(PublicationKeeperTest, RootsNamesNeedAServerThatKnowsThem) {
    server.version = 120022;
    config.publish_via_partition_root = true;
    const auto state = round();
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().what, HasSubstr("needs PostgreSQL 13"));
}

TEST_F(PublicationKeeperTest, AfterAnErrorItLooksAtEverythingAnew) {
    ASSERT_TRUE(round());
    server.refuses("publication signature */", "57014",
                   retry(Error::Category::connection, "cancelled"));
    EXPECT_FALSE(round());
    signature("one");
    const auto before = server.said.size();
    ASSERT_TRUE(round());
    EXPECT_GT(server.said.size(), before + 1);
}

}  // namespace
}  // namespace pgc
