#include "postgres/setup/publication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Table = WantedPublication::Table;

PostgresConfig config(std::string_view include, std::string_view exclude = "") {
    PostgresConfig c;
    std::vector<NamePattern> excludes;
    if (!exclude.empty()) excludes.push_back(*NamePattern::parse(exclude, 2));
    c.tables = TableFilter{{*NamePattern::parse(include, 2)}, std::move(excludes)};
    return c;
}

ServerFacts facts(int version, bool superuser) {
    ServerFacts f;
    f.version = version;
    f.superuser = superuser;
    return f;
}

std::vector<TableInfo> tables() {
    return *read_tables(fake_tables({{.schema = "public", .name = "a"},
                                     {.schema = "public", .name = "b", .has_children = true},
                                     {.schema = "shop", .name = "c"}}));
}

Publication publication(const std::map<std::string, std::optional<std::string>>& but = {},
                        const std::vector<std::array<std::string, 3>>& members = {}) {
    auto read = read_publication(fake_publication(but));
    EXPECT_TRUE(read && *read);
    EXPECT_TRUE(read_members(fake_members(members), **read));
    return std::move(**read);
}

TEST(PublicationTest, IsReadWithItsMembers) {
    const auto p = publication({{"all_tables", "f"}, {"truncates", "f"}, {"generated", "s"}},
                               {{"t", "public", "a"}, {"s", "shop", ""}});
    EXPECT_FALSE(p.all_tables);
    EXPECT_FALSE(p.truncates);
    EXPECT_TRUE(p.generated);
    EXPECT_TRUE(p.maintained);
    ASSERT_EQ(p.tables.size(), 1U);
    EXPECT_EQ(p.tables[0].name, "a");
    EXPECT_THAT(p.schemas, ElementsAre("shop"));
    EXPECT_FALSE(*read_publication(no_publication()));
    EXPECT_FALSE(read_publication(fake_rows({"x"}, {{"y"}})));
}

const PublicationOwner kOwner{.pipeline = "shop", .slot = "shop_slot"};

TEST(PublicationTest, TheNoteNamesItsOwner) {
    const PublicationOwner odd{.pipeline = "it's \"a\", slot", .slot = "s"};
    const std::string sql = note_sql("p", odd, {"\"a\".\"b\""});
    std::string note = sql.substr(sql.find('\'') + 1);
    note.resize(note.size() - 2);
    note.replace(note.find("''"), 2, "'");
    const auto read = publication({{"note", note}});
    EXPECT_TRUE(read.maintained);
    EXPECT_EQ(read.owner, odd);
    EXPECT_THAT(read.unread, ElementsAre("\"a\".\"b\""));
    EXPECT_EQ(publication({{"note", "maintained by pg-capture"}}).owner, PublicationOwner{});
    for (const auto* broken :
         {" for pipeline a", " for pipeline \"a\"", " for pipeline \"a\", slot "}) {
        EXPECT_FALSE(
            publication({{"note", "maintained by pg-capture" + std::string{broken}}}).maintained);
    }
}

TEST(PublicationTest, OnlyItsOwnerMayAlterIt) {
    PostgresConfig config;
    config.publication = "p";
    config.pipeline = "shop";
    config.slot = "shop_slot";
    const auto may = [&](const std::string& owner, const char* other_slots, bool slot_is_there) {
        return require_owner(config,
                             publication({{"note", "maintained by pg-capture" + owner},
                                          {"other_slots", other_slots}}),
                             slot_is_there);
    };
    EXPECT_TRUE(may(R"( for pipeline "renamed", slot "shop_slot")", "5", true));
    EXPECT_TRUE(may("", "0", false)) << "nobody can have read from it";
    EXPECT_TRUE(may("", "5", true)) << "of an earlier version: the first one that comes";
    EXPECT_FALSE(may("", "1", false));
    const auto refused = may(R"( for pipeline "other", slot "other_slot")", "0", true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_THAT(refused.error().what, HasSubstr("pipeline \"other\" (slot \"other_slot\")"));
    EXPECT_THAT(refused.error().hint, HasSubstr("PG_PUBLICATION"));
    EXPECT_THAT(refused.error().hint, HasSubstr("source.manage_publication to false"));
}

TEST(PublicationTest, AListStaysAList) {
    std::optional<Publication> is = publication({{"all_tables", "f"}});
    EXPECT_FALSE(
        wanted_publication(config("*.*"), facts(150000, true), tables(), is, false).all_tables);
    is = publication();
    EXPECT_TRUE(
        wanted_publication(config("*.*"), facts(150000, true), tables(), is, false).all_tables);
    EXPECT_FALSE(wanted_publication(config("*.*"), facts(150000, true), tables(), is).all_tables)
        << "the next table may have no replica identity";
}

TEST(PublicationTest, TablesWithoutAReplicaIdentityGoIntoTheSecondOne) {
    const auto with_bare =
        *read_tables(fake_tables({{.schema = "public", .name = "a"},
                                  {.schema = "public", .name = "bare", .keyed = false},
                                  {.schema = "public", .name = "new", .keyed = false}}));
    const auto wanted = wanted_publication(config("*.*"), facts(150000, true), with_bare);
    EXPECT_THAT(wanted.tables, ElementsAre(Table{"public", "a", false}));
    const auto second = wanted_inserts(wanted);
    EXPECT_THAT(second.tables,
                ElementsAre(Table{"public", "bare", false}, Table{"public", "new", false}));
    EXPECT_THAT(create_publication_sql(150000, "p_inserts", second),
                HasSubstr("WITH (publish = 'insert, truncate'"));
    EXPECT_THAT(create_publication_sql(100000, "p_inserts", second),
                HasSubstr("WITH (publish = 'insert')"));
    EXPECT_THAT(
        alter_publication_sql(
            150000, "p_inserts",
            publication({{"all_tables", "f"}}, {{"t", "public", "bare"}, {"t", "public", "new"}}),
            second, kOwner),
        testing::StartsWith("ALTER PUBLICATION \"p_inserts\" SET (publish = 'insert, trunc"));
    // Where the slot is too old for a second one, what is in stays in.
    const std::optional<Publication> is =
        publication({{"all_tables", "f"}}, {{"t", "public", "bare"}});
    const auto one = wanted_publication(config("*.*"), facts(150000, true), with_bare, is, false);
    EXPECT_THAT(one.tables,
                ElementsAre(Table{"public", "a", false}, Table{"public", "bare", false}));
    EXPECT_THAT(one.inserts, IsEmpty());
    EXPECT_THAT(one.left_out, ElementsAre("\"public\".\"new\""));
}

TEST(PublicationTest, TablesAreAddedInPartsButMovedAtOnce) {
    WantedPublication wanted;
    wanted.tables = {
        {"s", "in", false}, {"s", "moved", false}, {"s", "a", false}, {"s", "b", false}};
    wanted.inserts = {{"s", "c", false}};
    const std::optional<Publication> is = publication({{"all_tables", "f"}}, {{"t", "s", "in"}});
    const std::optional<Publication> inserts =
        publication({{"all_tables", "f"}}, {{"t", "s", "moved"}});
    WantedPublication now = wanted;
    EXPECT_TRUE(leave_for_later(now, is, inserts, 1));
    EXPECT_THAT(now.tables, ElementsAre(Table{"s", "in", false}, Table{"s", "moved", false},
                                        Table{"s", "a", false}));
    EXPECT_THAT(now.inserts, IsEmpty());
    EXPECT_FALSE(leave_for_later(wanted, is, inserts, 3));
}

TEST(PublicationTest, TheNoteNamesTheSecondOne) {
    PublicationOwner owner = kOwner;
    owner.inserts = "p_inserts";
    const std::string sql = note_sql("p", owner, {});
    EXPECT_THAT(sql, HasSubstr(R"(, slot "shop_slot", with "p_inserts"';)"));
    const auto read = publication(
        {{"note",
          R"(maintained by pg-capture for pipeline "shop", slot "shop_slot", with "p_inserts")"}});
    EXPECT_EQ(read.owner, owner);
    EXPECT_TRUE(read.maintained);
    EXPECT_EQ(inserts_publication("p"), "p_inserts");
    EXPECT_EQ(inserts_publication(std::string(63, 'x')).size(), 63U);
    const std::string wide = std::string(54, 'x') + "\u00e4" + "yyyyyyy";
    EXPECT_EQ(inserts_publication(wide), std::string(54, 'x') + "_inserts") << "whole letters";
}

TEST(PublicationTest, TheSecondOneGoesWithTheFirstAtEachStartOfEachSlot) {
    PostgresConfig c;
    c.slot = "shop_slot";
    const std::string head = R"(maintained by pg-capture for pipeline "shop", slot )";
    const std::optional<Publication> with =
        publication({{"note", head + R"("shop_slot", with "p_inserts")"}});
    const std::optional<Publication> others =
        publication({{"note", head + R"("x", with "p_inserts")"}});
    const std::optional<Publication> old = publication({{"note", head + R"("shop_slot")"}});
    const std::optional<Publication> foreign = publication({{"note", std::nullopt}});
    EXPECT_TRUE(has_inserts(c, std::nullopt, std::nullopt, false));
    const std::optional<Publication> none;
    const std::optional<Publication> second = publication({{"note", head + R"("x")"}});
    EXPECT_TRUE(has_inserts(c, with, none, true)) << "that it is gone is an error then";
    EXPECT_FALSE(has_inserts(c, old, none, true));
    EXPECT_TRUE(has_inserts(c, old, none, false));
    for (const bool slot_is_there : {false, true}) {
        EXPECT_FALSE(has_inserts(c, foreign, none, slot_is_there));
        EXPECT_FALSE(has_inserts(c, foreign, foreign, slot_is_there));
        EXPECT_TRUE(has_inserts(c, foreign, second, slot_is_there)) << "a comment overwritten";
    }
    c.manage_publication = false;
    EXPECT_FALSE(has_inserts(c, none, none, false));
    EXPECT_TRUE(has_inserts(c, with, none, true)) << "commands that only look";
    EXPECT_FALSE(has_inserts(c, old, none, false));
    for (const bool slot_is_there : {false, true}) {
        EXPECT_FALSE(has_inserts(c, others, none, slot_is_there));
        EXPECT_TRUE(has_inserts(c, others, second, slot_is_there));
    }
}

TEST(PublicationTest, IsOursOnlyWithTheNoteAndTheOwnership) {
    EXPECT_FALSE(publication({{"note", std::nullopt}}).maintained);
    EXPECT_FALSE(publication({{"note", "somebody's"}}).maintained);
    EXPECT_FALSE(publication({{"owned", "f"}}).maintained);
}

TEST(PublicationTest, EverythingIsAListToo) {
    const auto listed = wanted_publication(config("*.*"), facts(150000, true), tables());
    EXPECT_FALSE(listed.all_tables);
    EXPECT_THAT(listed.tables, ElementsAre(Table{"public", "a", false}, Table{"public", "b", true},
                                           Table{"shop", "c", false}));
}

TEST(PublicationTest, OneOfWholeSchemasStaysThatBesideAnOldSlot) {
    const std::optional<Publication> is = publication({{"all_tables", "f"}}, {{"s", "public", ""}});
    const auto wanted = [&](const PostgresConfig& c, bool superuser, bool apart = false) {
        return wanted_publication(c, facts(150000, superuser), tables(), is, apart);
    };
    EXPECT_THAT(wanted(config("public.*"), true).schemas, ElementsAre("public"));
    EXPECT_THAT(wanted(config("public.*"), true).tables, IsEmpty());
    EXPECT_EQ(wanted(config("public.*"), true, true).tables.size(), 2U);
    EXPECT_EQ(wanted(config("public.*"), false).tables.size(), 2U);
    EXPECT_EQ(wanted(config("public.*", "*.b"), true).tables.size(), 1U);
    EXPECT_THAT(wanted(config("later.*"), true).schemas, IsEmpty());
}

TEST(PublicationTest, IsMadeInEachVersionsGrammar) {
    WantedPublication all;
    all.all_tables = true;
    EXPECT_EQ(create_publication_sql(100000, "p", all),
              "CREATE PUBLICATION \"p\" FOR ALL TABLES WITH (publish = 'insert, update, delete');");
    EXPECT_EQ(create_publication_sql(110000, "p", all),
              "CREATE PUBLICATION \"p\" FOR ALL TABLES WITH (publish = 'insert, update, delete, "
              "truncate');");
    all.via_root = true;
    EXPECT_THAT(create_publication_sql(130000, "p", all),
                HasSubstr("publish_via_partition_root = true"));
    EXPECT_THAT(create_publication_sql(170000, "p", all), Not(HasSubstr("generated")));
    EXPECT_THAT(create_publication_sql(180000, "p", all),
                HasSubstr("publish_generated_columns = stored"));
}

TEST(PublicationTest, MayHoldTablesSchemasBothOrNothing) {
    WantedPublication wanted;
    EXPECT_THAT(create_publication_sql(150000, "p", wanted), HasSubstr("\"p\" WITH ("));
    wanted.tables = {{"public", "a", false}, {"public", "b", true}};
    EXPECT_THAT(create_publication_sql(150000, "p", wanted),
                HasSubstr("FOR TABLE \"public\".\"a\", ONLY \"public\".\"b\" WITH"));
    wanted.schemas = {"shop"};
    EXPECT_THAT(create_publication_sql(150000, "p", wanted),
                HasSubstr("ONLY \"public\".\"b\", TABLES IN SCHEMA \"shop\" WITH"));
    EXPECT_THAT(create_our_publication_sql(150000, "p", wanted, {}),
                HasSubstr("COMMENT ON PUBLICATION \"p\" IS 'maintained by pg-capture';"));
}

TEST(PublicationTest, TheNoteOfOursRemembersTablesNobodyHasRead) {
    const std::vector<std::string> unread{"\"public\".\"a\"", "\"it's, a \"\"b\"\"\".\"c.d, \"",
                                          "\"\".\"\""};
    const std::string sql = note_sql("p", {}, unread);
    const std::string head = "COMMENT ON PUBLICATION \"p\" IS ";
    ASSERT_TRUE(sql.starts_with(head + "'maintained by pg-capture; ")) << sql;
    std::string note = sql.substr(head.size() + 1, sql.size() - head.size() - 3);
    note.replace(note.find("''"), 2, "'");
    EXPECT_EQ(publication({{"note", note}}).unread, unread);
    EXPECT_TRUE(publication({{"note", note}}).maintained);
    EXPECT_FALSE(publication({{"note", note}, {"owned", "f"}}).maintained);
    EXPECT_FALSE(publication({{"note", note.substr(0, note.size() - 1)}}).maintained);
    EXPECT_EQ(note_sql("p", {}, {}), head + "'maintained by pg-capture';");
    EXPECT_FALSE(publication({{"note", "maintained by pg-capture, once"}}).maintained);
}

TEST(PublicationTest, NothingIsAlteredWhereNothingDiffers) {
    WantedPublication wanted;
    wanted.tables = {{"public", "a", false}};
    EXPECT_EQ(alter_publication_sql(150000, "p",
                                    publication({{"all_tables", "f"}}, {{"t", "public", "a"}}),
                                    wanted, kOwner),
              "");
    // What a version does not have can't differ.
    EXPECT_EQ(alter_publication_sql(
                  100000, "p",
                  publication({{"all_tables", "f"}, {"truncates", "f"}}, {{"t", "public", "a"}}),
                  wanted, kOwner),
              "");
}

TEST(PublicationTest, DriftIsFixedMemberByMember) {
    WantedPublication wanted;
    wanted.tables = {{"public", "a", false}, {"public", "new", false}};
    EXPECT_EQ(alter_publication_sql(150000, "p",
                                    publication({{"all_tables", "f"}},
                                                {{"t", "public", "a"}, {"t", "public", "old"}}),
                                    wanted, kOwner),
              "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"old\"; "
              "ALTER PUBLICATION \"p\" ADD TABLE \"public\".\"new\";");
    WantedPublication schemas;
    schemas.schemas = {"shop"};
    EXPECT_EQ(alter_publication_sql(150000, "p",
                                    publication({{"all_tables", "f"}}, {{"s", "public", ""}}),
                                    schemas, kOwner),
              "ALTER PUBLICATION \"p\" DROP TABLES IN SCHEMA \"public\"; "
              "ALTER PUBLICATION \"p\" ADD TABLES IN SCHEMA \"shop\";");
}

TEST(PublicationTest, SettingsAreFixedToo) {
    WantedPublication wanted;
    wanted.all_tables = true;
    for (const auto column : {"inserts", "updates", "deletes", "truncates"}) {
        EXPECT_THAT(
            alter_publication_sql(150000, "p", publication({{column, "f"}}), wanted, kOwner),
            HasSubstr("SET (publish = 'insert, update, delete, truncate'"))
            << column;
    }
    EXPECT_THAT(alter_publication_sql(180000, "p", publication(), wanted, kOwner),
                HasSubstr("publish_generated_columns = stored"));
    wanted.via_root = true;
    EXPECT_THAT(alter_publication_sql(150000, "p", publication(), wanted, kOwner),
                HasSubstr("publish_via_partition_root = true"));
    EXPECT_EQ(alter_publication_sql(120000, "p", publication(), wanted, kOwner), "");
}

TEST(PublicationTest, BetweenAllTablesAndAListItIsMadeAnewInOneTransaction) {
    WantedPublication wanted;
    wanted.tables = {{"public", "a", false}};
    const auto sql = alter_publication_sql(150000, "p", publication(), wanted, kOwner);
    EXPECT_THAT(sql,
                testing::StartsWith("DROP PUBLICATION \"p\"; CREATE PUBLICATION \"p\" FOR TABLE"));
    EXPECT_THAT(sql, HasSubstr("COMMENT ON"));
}

TEST(PublicationTest, WhatSomebodyIsToldToAddBreaksNoUpdate) {
    PostgresConfig c;
    c.publication = "p";
    const TableInfo keyed{.schema = "a", .name = "b", .keyed = true};
    const TableInfo other{.schema = "a", .name = "c", .keyed = true};
    const TableInfo bare{.schema = "a", .name = "d"};
    EXPECT_EQ(add_tables_sql(c, publication(), false, {&keyed, &other}),
              R"(ALTER PUBLICATION "p" ADD TABLE "a"."b", "a"."c";)");
    EXPECT_EQ(add_tables_sql(c, publication(), false, {&keyed, &bare}),
              R"(ALTER TABLE "a"."d" REPLICA IDENTITY FULL; )"
              R"(ALTER PUBLICATION "p" ADD TABLE "a"."b", "a"."d";)");
    EXPECT_EQ(add_tables_sql(c, publication(), true, {&keyed, &bare}),
              R"(ALTER PUBLICATION "p" ADD TABLE "a"."b"; )"
              R"(ALTER PUBLICATION "p_inserts" ADD TABLE "a"."d";)");
    EXPECT_EQ(add_tables_sql(c, publication({{"updates", "f"}, {"deletes", "f"}}), false, {&bare}),
              R"(ALTER PUBLICATION "p" ADD TABLE "a"."d";)");
}

}  // namespace
}  // namespace pgc
