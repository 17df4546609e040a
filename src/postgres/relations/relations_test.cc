#include "postgres/relations/relations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/walsender_messages.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kUsers;
using testing::SentColumn;

constexpr std::uint32_t kMood = 16500;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;

const std::vector<SentColumn> kColumns{{"id", kInt4, true}, {"name", kText, false}};

class RelationsTest : public ::testing::Test {
protected:
    // The message without its envelope.
    static std::string users(char identity = 'd', std::vector<SentColumn> columns = kColumns) {
        return testing::relation(kUsers, "public", "users", identity, columns).substr(25);
    }

    Relations relations(bool binary = false) {
        return Relations{
            types_,
            {.table = [this](std::string_view,
                             std::string_view table) { return table != excluded_table_; },
             .column = [this](std::string_view, std::string_view,
                              std::string_view column) { return column != excluded_column_; }},
            binary,
            carry_over_,
            [this](const Relation&, const Relation& now) { changed_.push_back(now.serial); }};
    }

    // Declares, answering the catalog's question.
    static Result<void> declare(Relations& relations, const std::string& message,
                                const TableFacts& facts = {
                                    .primary_key = {"id"}, .identity_index = {}, .types = {}}) {
        auto declared = relations.declare(message);
        if (!declared) return std::unexpected(declared.error());
        if (*declared == Relations::Declared::known) return {};
        const auto question = relations.question();
        EXPECT_TRUE(question && question->urgent);
        if (auto done = relations.answer(*question, facts); !done) return done;
        declared = relations.declare(message);
        if (!declared) return std::unexpected(declared.error());
        EXPECT_EQ(*declared, Relations::Declared::known);
        return {};
    }

    static const Relation& now(Relations& relations) {
        return *relations.find(Oid{kUsers})->relation;
    }

    TypeMap types_;
    SourceCarryOver carry_over_;
    std::string excluded_table_;
    std::string excluded_column_;
    std::vector<std::uint64_t> changed_;
};

TEST_F(RelationsTest, KnowsNothingUnannounced) {
    auto relations = this->relations();
    EXPECT_EQ(relations.find(Oid{kUsers}), nullptr);
    EXPECT_FALSE(relations.question());
}

TEST_F(RelationsTest, StopsUntilTheCatalogHasAnswered) {
    auto relations = this->relations();
    EXPECT_EQ(relations.declare(users()), Relations::Declared::ask);
    EXPECT_EQ(relations.declare(users()), Relations::Declared::ask);
    EXPECT_EQ(relations.find(Oid{kUsers}), nullptr);
    const auto question = relations.question();
    ASSERT_TRUE(question);
    EXPECT_EQ(question->relation, Oid{kUsers});
    EXPECT_THAT(question->types, IsEmpty());
    EXPECT_TRUE(question->urgent);
}

TEST_F(RelationsTest, BuildsARelationFromMessageAndCatalog) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    const Relation& made = now(relations);
    EXPECT_EQ(made.oid, Oid{kUsers});
    EXPECT_EQ(qualified_name(made), "public.users");
    EXPECT_EQ(made.identity, ReplicaIdentity::key);
    ASSERT_EQ(made.columns.size(), 2U);
    EXPECT_EQ(made.columns[0].name, "id");
    EXPECT_TRUE(made.columns[0].identity);
    EXPECT_FALSE(made.columns[1].identity);
    EXPECT_EQ(made.columns[0].type->kind, Kind::integer);
    EXPECT_THAT(made.key, ElementsAre(0U));
    EXPECT_FALSE(relations.question());
}

TEST_F(RelationsTest, AnEmptySchemaMeansPgCatalog) {
    auto relations = this->relations();
    ASSERT_TRUE(
        declare(relations, testing::relation(kUsers, "", "pg_foo", 'd', kColumns).substr(25)));
    EXPECT_EQ(now(relations).schema, "pg_catalog");
}

TEST_F(RelationsTest, KeepsThePrimaryKeysOwnOrder) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations,
                        users('d', {{"region", kInt4, true}, {"x", kInt4}, {"id", kInt4, true}}),
                        {.primary_key = {"id", "region"}, .identity_index = {}, .types = {}}));
    EXPECT_THAT(now(relations).key, ElementsAre(2U, 0U));
}

TEST_F(RelationsTest, WithAFullIdentityThePrimaryKeyIsTheKey) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users('f', {{"name", kText, true}, {"id", kInt4, true}})));
    EXPECT_THAT(now(relations).key, ElementsAre(1U));
}

TEST_F(RelationsTest, AWholeRowIsNotAKey) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users('f', {{"name", kText, true}, {"id", kInt4, true}}), {}));
    EXPECT_THAT(now(relations).key, IsEmpty());
}

TEST_F(RelationsTest, AKeyThatOldRowsLackIsReplacedByTheIdentity) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations,
                        users('i', {{"id", kInt4}, {"mail", kText, true}, {"org", kText, true}}),
                        {.primary_key = {"id"}, .identity_index = {"org", "mail"}, .types = {}}));
    EXPECT_THAT(now(relations).key, ElementsAre(2U, 1U));
}

TEST_F(RelationsTest, ATableThatIsGoneFallsBackToItsIdentityColumns) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users(), {}));
    EXPECT_THAT(now(relations).key, ElementsAre(0U));
}

TEST_F(RelationsTest, AKeyOfTodayThatTheMessageDoesNotHaveIsNotUsed) {
    auto relations = this->relations();
    ASSERT_TRUE(
        declare(relations, users(), {.primary_key = {"uuid"}, .identity_index = {}, .types = {}}));
    EXPECT_THAT(now(relations).key, ElementsAre(0U));
}

TEST_F(RelationsTest, WithoutIdentityThePrimaryKeyStillKeysInserts) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users('n', {{"id", kInt4}, {"name", kText}})));
    EXPECT_THAT(now(relations).key, ElementsAre(0U));
}

TEST_F(RelationsTest, ATableWithoutColumnsIsATable) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users('d', {}), {}));
    EXPECT_THAT(now(relations).columns, IsEmpty());
    EXPECT_THAT(now(relations).key, IsEmpty());
}

TEST_F(RelationsTest, TheSameMessageAgainKeepsTheSameObjectAndAsksBehindTheStream) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    const Relation* before = &now(relations);
    EXPECT_EQ(relations.declare(users()), Relations::Declared::known);
    const auto question = relations.question();
    ASSERT_TRUE(question);
    EXPECT_FALSE(question->urgent);
    ASSERT_TRUE(
        relations.answer(*question, {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
    EXPECT_EQ(&now(relations), before);
    EXPECT_FALSE(relations.question());
    EXPECT_THAT(changed_, IsEmpty());
}

TEST_F(RelationsTest, AKeyThatCameMeanwhileMakesANewVersion) {
    auto relations = this->relations();
    const auto full = users('f', {{"id", kInt4, true}});
    ASSERT_TRUE(declare(relations, full, {}));
    EXPECT_EQ(relations.declare(full), Relations::Declared::known);
    ASSERT_TRUE(relations.answer(*relations.question(),
                                 {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
    EXPECT_THAT(now(relations).key, ElementsAre(0U));
    EXPECT_EQ(now(relations).slot, 1U);
    EXPECT_THAT(changed_, ElementsAre(2U));
}

TEST_F(RelationsTest, AskingAgainHappensOnceHoweverOftenTheMessageComes) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(relations.declare(users()));
    ASSERT_TRUE(relations.answer(*relations.question(), {}));
    EXPECT_FALSE(relations.question());
}

TEST_F(RelationsTest, AChangedTableGetsASlotOfItsOwnAndLeavesTheOldObjectAlone) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    const RelationPtr before = relations.find(Oid{kUsers})->relation;
    auto columns = kColumns;
    columns.push_back({"age", kInt4});
    ASSERT_TRUE(declare(relations, users('d', columns)));
    EXPECT_EQ(before->slot, 0U);
    EXPECT_EQ(before->columns.size(), 2U);
    EXPECT_EQ(now(relations).slot, 1U);
    EXPECT_EQ(now(relations).columns.size(), 3U);
    EXPECT_THAT(changed_, ElementsAre(2U));
}

TEST_F(RelationsTest, ARefreshUnderwayDoesNotDisturbANewVersion) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    EXPECT_TRUE(relations.declare(users()));
    const auto refresh = *relations.question();
    auto columns = kColumns;
    columns.push_back({"age", kInt4});
    EXPECT_EQ(relations.declare(users('d', columns)), Relations::Declared::ask);
    ASSERT_TRUE(
        relations.answer(refresh, {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
    EXPECT_EQ(now(relations).slot, 0U);
    ASSERT_TRUE(declare(relations, users('d', columns)));
    EXPECT_EQ(now(relations).slot, 1U);
    EXPECT_EQ(now(relations).columns.size(), 3U);
}

TEST_F(RelationsTest, AsksForUnknownTypes) {
    auto relations = this->relations();
    EXPECT_EQ(relations.declare(users('d', {{"id", kInt4, true}, {"mood", kMood}})),
              Relations::Declared::ask);
    EXPECT_THAT(relations.question()->types, ElementsAre(Oid{kMood}));
}

TEST_F(RelationsTest, LearnsTypesWithTheTable) {
    auto relations = this->relations();
    CatalogType mood;
    mood.oid = Oid{kMood};
    mood.schema = "public";
    mood.name = "mood";
    mood.type = 'e';
    mood.has_send = true;
    ASSERT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"mood", kMood}}),
                        {.primary_key = {"id"}, .identity_index = {}, .types = {mood}}));
    EXPECT_EQ(now(relations).columns[1].type->kind, Kind::enumeration);
}

TEST_F(RelationsTest, ADroppedTypeIsReadAsText) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"mood", kMood}})));
    EXPECT_EQ(now(relations).columns[1].type->kind, Kind::text);
}

TEST_F(RelationsTest, AnAnnouncedTypeIsAskedForAgain) {
    auto relations = this->relations();
    const auto message = users('d', {{"id", kInt4, true}, {"mood", kMood}});
    ASSERT_TRUE(declare(relations, message));
    relations.announce_type({.oid = Oid{kMood}, .schema = "public", .name = "mood"});
    EXPECT_TRUE(relations.declare(message));
    EXPECT_THAT(relations.question()->types, ElementsAre(Oid{kMood}));
}

constexpr std::uint32_t kPair = 16510;
constexpr std::uint32_t kPart = 16511;

TEST_F(RelationsTest, ATypeThatIsGoneIsWhatItWasWhenASourceBeforeUsedIt) {
    const auto message = users('d', {{"id", kInt4, true}, {"pair", kPair}});
    {
        auto relations = this->relations();
        ASSERT_TRUE(declare(
            relations, message,
            {.primary_key = {"id"},
             .identity_index = {},
             .types = {{.oid = Oid{kPair},
                        .schema = "public",
                        .name = "pair",
                        .type = 'c',
                        .attributes = {{"a", Oid{kInt4}}, {"b", Oid{kPart}}}},
                       {.oid = Oid{kPart}, .schema = "public", .name = "part", .type = 'e'}}}));
    }
    types_ = {};
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, message));
    const Type& pair = *now(relations).columns[1].type;
    EXPECT_EQ(pair.kind, Kind::composite);
    ASSERT_EQ(pair.fields.size(), 2U);
    EXPECT_EQ(pair.fields[1].type->kind, Kind::enumeration) << "what it is made of is gone, too";
}

TEST_F(RelationsTest, ADomainThatIsGoneIsWhatTheStreamSaysItIsMadeOf) {
    auto relations = this->relations();
    relations.announce_type({.oid = Oid{kMood}, .schema = "", .name = "_int4"});
    ASSERT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"many", kMood}})));
    const Type& many = *now(relations).columns[1].type;
    EXPECT_EQ(many.kind, Kind::array);
    EXPECT_EQ(many.element->kind, Kind::integer);
    relations.announce_type({.oid = Oid{kMood}, .schema = "", .name = "nothing_of_ours"});
    ASSERT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"more", kMood}})));
    EXPECT_EQ(now(relations).columns[1].type->kind, Kind::text);
}

TEST_F(RelationsTest, ATableLeftOutIsKnownWithoutAsking) {
    excluded_table_ = "users";
    auto relations = this->relations();
    EXPECT_EQ(relations.declare(users()), Relations::Declared::known);
    const KnownRelation* known = relations.find(Oid{kUsers});
    ASSERT_NE(known, nullptr);
    EXPECT_FALSE(known->captured);
    EXPECT_FALSE(relations.question());
}

// A filter that means "orders", by its own name or as what is above a table.
Selection means_orders() {
    return {
        .table = [](auto, std::string_view name) { return name == "orders"; },
        .column = [](auto, auto, auto) { return true; },
        .through =
            [](auto, std::string_view name, const Lineage* above) {
                return name != "orders" &&
                       (above == nullptr || std::ranges::any_of(*above, [](const TableName& table) {
                            return table.name == "orders";
                        }));
            }};
}

TEST_F(RelationsTest, ATableThatIsNotNamedIsAskedAboutUntilWhatIsAboveItIsKnown) {
    std::vector<UnnamedTable> outcomes;
    Relations relations{
        types_, means_orders(),
        false,  carry_over_,
        {},     [&](auto, auto, UnnamedTable outcome) { outcomes.push_back(outcome); }};
    const auto declared_with = [&](bool exists, const Lineage& above,
                                   Published published = Published::all) {
        const TableFacts facts{.primary_key = {"id"},
                               .identity_index = {},
                               .types = {},
                               .exists = exists,
                               .above = above,
                               .published = published};
        EXPECT_TRUE(declare(relations, users(), facts));
        return relations.find(Oid{kUsers})->captured;
    };
    EXPECT_FALSE(declared_with(true, {}));
    EXPECT_FALSE(declared_with(false, {}));
    EXPECT_FALSE(declared_with(true, {{"public", "archive"}}, Published::listed));
    EXPECT_THAT(outcomes, ElementsAre(UnnamedTable::left_out, UnnamedTable::left_out_gone,
                                      UnnamedTable::left_out));
    EXPECT_TRUE(declared_with(true, {{"public", "orders"}}));
    // Detached or dropped meanwhile: the stream is older than the catalog.
    EXPECT_EQ(relations.declare(users()), Relations::Declared::known);
    EXPECT_TRUE(relations.answer(*relations.question(), {}));
    EXPECT_TRUE(relations.find(Oid{kUsers})->captured);
    EXPECT_EQ(outcomes.size(), 3U);
}

TEST_F(RelationsTest, WhatATableWasBelowCountsUntilAllBeforeItIsDurable) {
    std::vector<UnnamedTable> outcomes;
    Relations relations{
        types_, means_orders(),
        false,  carry_over_,
        {},     [&](auto, auto, UnnamedTable outcome) { outcomes.push_back(outcome); }};
    const auto declared_with = [&](const std::string& message, const Lineage& above,
                                   std::uint64_t log_end) {
        EXPECT_TRUE(declare(relations, message,
                            {.primary_key = {"id"},
                             .identity_index = {},
                             .types = {},
                             .exists = true,
                             .above = above,
                             .published = Published::all,
                             .log_end = Lsn{log_end}}));
        return relations.find(Oid{kUsers})->captured;
    };
    carry_over_.lineages.refresh({{Oid{kUsers}, {{"public", "orders"}}}});
    EXPECT_TRUE(declared_with(users(), {{"public", "orders_old"}}, 100)) << "its root was renamed";
    EXPECT_TRUE(carry_over_.lineages.forget(Lsn{99}).empty());
    for (const Oid table : carry_over_.lineages.forget(Lsn{100})) relations.look_again(table);
    const auto question = relations.question();
    ASSERT_TRUE(question && !question->urgent);
    EXPECT_TRUE(relations.answer(*question, {.primary_key = {"id"},
                                             .identity_index = {},
                                             .types = {},
                                             .exists = true,
                                             .above = {{"public", "orders_old"}},
                                             .published = Published::all}));
    EXPECT_FALSE(relations.find(Oid{kUsers})->captured);
    EXPECT_THAT(outcomes, ElementsAre(UnnamedTable::left_out));
}

TEST_F(RelationsTest, ATableThatNothingSaysWhyItWasSentIsCaptured) {
    std::vector<UnnamedTable> outcomes;
    Relations relations{
        types_, means_orders(),
        false,  carry_over_,
        {},     [&](auto, auto, UnnamedTable outcome) { outcomes.push_back(outcome); }};
    const auto facts = [](Published published, bool exists) {
        return TableFacts{.primary_key = {"id"},
                          .identity_index = {},
                          .types = {},
                          .exists = exists,
                          .published = published};
    };
    ASSERT_TRUE(declare(relations, users(), facts(Published::no, true)));
    EXPECT_TRUE(relations.find(Oid{kUsers})->captured);
    EXPECT_THAT(outcomes, ElementsAre(UnnamedTable::captured));
    ASSERT_TRUE(declare(relations, users('f'), facts(Published::no, false)));
    EXPECT_TRUE(relations.find(Oid{kUsers})->captured);
    // As a table of its own on the list, it is none of ours; nor when it leaves the list.
    ASSERT_TRUE(declare(relations, users('n'), facts(Published::listed, true)));
    EXPECT_FALSE(relations.find(Oid{kUsers})->captured);
    ASSERT_TRUE(declare(relations, users('d'), facts(Published::no, false)));
    EXPECT_FALSE(relations.find(Oid{kUsers})->captured);
    EXPECT_THAT(outcomes, ElementsAre(UnnamedTable::captured, UnnamedTable::captured,
                                      UnnamedTable::left_out, UnnamedTable::left_out));
}

TEST_F(RelationsTest, ATableRenamedIntoTheSelectionIsCapturedFromThen) {
    excluded_table_ = "users";
    auto relations = this->relations();
    EXPECT_TRUE(relations.declare(users()));
    ASSERT_TRUE(declare(relations,
                        testing::relation(kUsers, "public", "people", 'd', kColumns).substr(25)));
    EXPECT_TRUE(relations.find(Oid{kUsers})->captured);
    EXPECT_EQ(now(relations).name, "people");
}

TEST_F(RelationsTest, AnExcludedColumnIsNotCaptured) {
    excluded_column_ = "name";
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    EXPECT_TRUE(now(relations).columns[0].captured);
    EXPECT_FALSE(now(relations).columns[1].captured);
}

TEST_F(RelationsTest, AnExcludedKeyColumnStopsUsAndIsNamed) {
    excluded_column_ = "id";
    auto relations = this->relations();
    const auto declared = declare(relations, users());
    ASSERT_FALSE(declared);
    EXPECT_EQ(declared.error().next, Error::Next::stop);
    EXPECT_THAT(declared.error().where, HasSubstr("public.users, column id"));
    EXPECT_THAT(declared.error().hint, HasSubstr("source.columns.exclude"));
}

TEST_F(RelationsTest, ATypeUnknownInBinaryMakesUsAskForTextFromThenOn) {
    auto relations = this->relations(true);
    const auto declared = declare(relations, users('d', {{"id", kInt4, true}, {"x", kMood}}));
    ASSERT_FALSE(declared);
    EXPECT_EQ(declared.error().next, Error::Next::restart);
    EXPECT_THAT(declared.error().where, HasSubstr("public.users, column x"));
    EXPECT_TRUE(carry_over_.text_only);
}

TEST_F(RelationsTest, InTextNoTypeIsTooStrange) {
    auto relations = this->relations(false);
    EXPECT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"x", kMood}})));
    EXPECT_FALSE(carry_over_.text_only);
}

TEST_F(RelationsTest, AnExcludedColumnsTypeNeedNotBeKnownInBinary) {
    excluded_column_ = "x";
    auto relations = this->relations(true);
    EXPECT_TRUE(declare(relations, users('d', {{"id", kInt4, true}, {"x", kMood}})));
}

TEST_F(RelationsTest, RefusesAMessageItCannotDecode) {
    auto relations = this->relations();
    const auto declared = relations.declare(users().substr(0, 20));
    ASSERT_FALSE(declared);
    EXPECT_EQ(declared.error().category, Error::Category::protocol);
}

TEST_F(RelationsTest, TellsTablesApartThatShareAPlaceNearby) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users()));
    ASSERT_TRUE(declare(
        relations, testing::relation(kUsers + 64, "public", "orders", 'd', kColumns).substr(25)));
    EXPECT_EQ(relations.find(Oid{kUsers})->relation->name, "users");
    EXPECT_EQ(relations.find(Oid{kUsers + 64})->relation->name, "orders");
    EXPECT_EQ(relations.find(Oid{kUsers})->relation->name, "users");
    EXPECT_EQ(relations.find(Oid{kUsers + 128}), nullptr);
}

}  // namespace
}  // namespace pgc
