#include "postgres/setup/publication_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/setup/publication.h"
#include "support/publication_fixture.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kWithInserts =
    R"(maintained by pg-capture for pipeline "shop", slot "shop_slot", with "pub_inserts")";

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
