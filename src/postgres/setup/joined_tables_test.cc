#include "postgres/setup/joined_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/publication_fixture.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

}  // namespace
}  // namespace pgc
