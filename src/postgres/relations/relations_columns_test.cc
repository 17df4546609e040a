// What the catalog says of columns, and when it is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "postgres/relations/relations.h"
#include "support/walsender_messages.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kUsers;
using testing::SentColumn;

constexpr std::uint32_t kInteger = 23;
constexpr std::uint32_t kString = 25;

const std::vector<SentColumn> kUsers_columns{
    {"id", kInteger, true}, {"name", kString}, {"age", kInteger}};

ColumnFacts column(std::string name, std::uint32_t type, bool nullable = true,
                   std::string default_expression = {}, std::string comment = {}) {
    return {.name = std::move(name),
            .type = Oid{type},
            .nullable = nullable,
            .generated = false,
            .default_expression = std::move(default_expression),
            .comment = std::move(comment)};
}

class RelationsColumnsTest : public ::testing::Test {
protected:
    static std::string users(const std::vector<SentColumn>& columns = kUsers_columns,
                             char identity = 'd') {
        return testing::relation(kUsers, "public", "users", identity, columns).substr(25);
    }

    static TableFacts facts(std::vector<ColumnFacts> columns, std::string comment = {}) {
        return {.primary_key = {"id"},
                .identity_index = {},
                .types = {},
                .exists = true,
                .comment = std::move(comment),
                .columns = std::move(columns)};
    }

    static TableFacts usual() {
        return facts({column("id", kInteger, false, "nextval('public.users_id_seq'::regclass)"),
                      column("name", kString, true, "'nobody'::text", "as they call themselves"),
                      column("age", kInteger)},
                     "who may log in");
    }

    // The table as it is after the message and this answer.
    RelationPtr declare(const TableFacts& facts, const std::string& message = users()) {
        if (relations_.declare(message) == Relations::Declared::ask) {
            EXPECT_TRUE(relations_.answer(*relations_.question(), facts));
            EXPECT_EQ(relations_.declare(message), Relations::Declared::known);
        } else if (const auto again = relations_.question()) {
            EXPECT_TRUE(relations_.answer(*again, facts));
        }
        return relations_.find(Oid{kUsers})->relation;
    }

    TypeMap types_;
    SourceCarryOver carry_over_;
    std::vector<std::uint64_t> changed_;
    Relations relations_{
        types_,
        {.table = [](auto, auto) { return true; },
         .column = [](auto, auto, std::string_view column) { return column != "secret"; }},
        false,
        carry_over_,
        [this](const Relation&, const Relation& now) { changed_.push_back(now.serial); }};
};

TEST_F(RelationsColumnsTest, AColumnIsAsTheCatalogSays) {
    const auto made = declare(usual());
    EXPECT_EQ(made->comment, "who may log in");
    EXPECT_FALSE(made->columns[0].nullable);
    EXPECT_EQ(made->columns[0].default_expression, "nextval('public.users_id_seq'::regclass)");
    EXPECT_EQ(made->columns[0].comment, "");
    EXPECT_TRUE(made->columns[1].nullable);
    EXPECT_EQ(made->columns[1].default_expression, "'nobody'::text");
    EXPECT_EQ(made->columns[1].comment, "as they call themselves");
    EXPECT_EQ(made->columns[2].default_expression, "");
}

TEST_F(RelationsColumnsTest, ColumnsAreFoundByNameWhateverTheirOrder) {
    const auto made =
        declare(facts({column("age", kInteger, false, "18"), column("new", kString, false),
                       column("name", kString, false), column("id", kInteger, false)}));
    EXPECT_FALSE(made->columns[0].nullable);
    EXPECT_FALSE(made->columns[1].nullable);
    EXPECT_EQ(made->columns[2].default_expression, "18");
}

TEST_F(RelationsColumnsTest, OfAColumnThatIsGoneOrHasAnotherTypeNothingIsClaimed) {
    const auto made = declare(facts(
        {column("id", kInteger, false), column("age", kString, false, "'18'::text", "now text")}));
    EXPECT_FALSE(made->columns[0].nullable);
    for (const std::size_t place : {1U, 2U}) {
        EXPECT_TRUE(made->columns[place].nullable);
        EXPECT_EQ(made->columns[place].default_expression, "");
        EXPECT_EQ(made->columns[place].comment, "");
    }
}

TEST_F(RelationsColumnsTest, AColumnOfTheKeyIsNeverNullWhateverTypeItHasToday) {
    const auto today = facts({column("id", kString, false), column("age", kInteger)});
    const auto by_key = declare(today, users({{"id", kInteger, true}, {"age", kInteger}}));
    EXPECT_FALSE(by_key->columns[0].nullable);
    EXPECT_TRUE(by_key->columns[1].nullable);
    const auto whole_rows =
        declare(today, users({{"id", kInteger, true}, {"age", kInteger, true}}, 'f'));
    EXPECT_TRUE(whole_rows->columns[0].nullable);
}

TEST_F(RelationsColumnsTest, AGeneratedColumnIsSaidToBe) {
    auto twice = column("age", kInteger);
    twice.generated = true;
    const auto made = declare(facts({column("id", kInteger, false), std::move(twice)}));
    EXPECT_FALSE(made->columns[0].generated);
    EXPECT_TRUE(made->columns[2].generated);
}

TEST_F(RelationsColumnsTest, NothingIsKeptOfAnExcludedColumn) {
    const auto made = declare(facts({column("id", kInteger, false),
                                     column("secret", kString, false, "'x'::text", "hush")}),
                              users({{"id", kInteger, true}, {"secret", kString}}));
    EXPECT_TRUE(made->columns[1].nullable);
    EXPECT_EQ(made->columns[1].default_expression, "");
    EXPECT_EQ(made->columns[1].comment, "");
}

TEST_F(RelationsColumnsTest, ADifferenceMakesANewVersionWhenTheTableIsAnnouncedAgain) {
    std::vector<TableFacts> all(5, usual());
    all[0].columns[2].nullable = false;
    all[1].columns[1].default_expression = "'somebody'::text";
    all[2].columns[1].comment = "as others call them";
    all[3].columns[2].generated = true;
    all[4].comment = "who might log in";
    EXPECT_EQ(declare(usual())->slot, 0U);
    EXPECT_EQ(declare(usual())->slot, 0U);
    EXPECT_THAT(changed_, IsEmpty());
    for (const TableFacts& facts : all) declare(facts);
    EXPECT_THAT(changed_, ElementsAre(2U, 3U, 4U, 5U, 6U));
}

TEST_F(RelationsColumnsTest, ANewLabelOfAnEnumIsKnownWhenTheTableIsAnnouncedAgain) {
    constexpr std::uint32_t kMood = 20001;
    const std::string message = users({{"id", kInteger, true}, {"mood", kMood}});
    TableFacts all = facts({column("id", kInteger, false), column("mood", kMood)});
    all.types.push_back({.oid = Oid{kMood}, .name = "mood", .type = 'e', .labels = {"sad"}});
    EXPECT_THAT(declare(all, message)->columns[1].type->labels, ElementsAre("sad"));
    all.types[0].labels.emplace_back("glad");
    EXPECT_THAT(declare(all, message)->columns[1].type->labels, ElementsAre("sad", "glad"))
        << "the answer to another question may have brought it";
    EXPECT_THAT(changed_, ElementsAre(2U));
    all.types[0].labels.emplace_back("neither");
    relations_.announce_type({.oid = Oid{kMood}, .schema = "public", .name = "mood"});
    EXPECT_THAT(declare(all, message)->columns[1].type->labels,
                ElementsAre("sad", "glad", "neither"));
    EXPECT_THAT(changed_, ElementsAre(2U, 3U));
}

TEST_F(RelationsColumnsTest, AnAnswerThatIsOlderThanATypesAnnouncementIsNotBelievedAboutIt) {
    constexpr std::uint32_t kMood = 20001;
    const std::string message = users({{"id", kInteger, true}, {"mood", kMood}});
    const TableFacts without = facts({column("id", kInteger, false), column("mood", kMood)});
    TableFacts all = without;
    all.types.push_back({.oid = Oid{kMood}, .name = "mood", .type = 'e', .labels = {"sad"}});
    declare(all, message);
    EXPECT_EQ(relations_.declare(message), Relations::Declared::known);
    const auto asked = relations_.question();
    ASSERT_TRUE(asked);
    EXPECT_THAT(asked->types, IsEmpty()) << "it is known";
    relations_.announce_type({.oid = Oid{kMood}, .schema = "public", .name = "mood"});
    ASSERT_TRUE(relations_.answer(*asked, without));
    const auto again = relations_.question();
    ASSERT_TRUE(again);
    EXPECT_THAT(again->types, ElementsAre(Oid{kMood}));
    ASSERT_TRUE(relations_.answer(*again, all));
    EXPECT_FALSE(relations_.question());
    EXPECT_EQ(relations_.find(Oid{kUsers})->relation->columns[1].type->kind, Kind::enumeration);
    EXPECT_THAT(changed_, IsEmpty());
}

TEST_F(RelationsColumnsTest, RowsOfASnapshotSayTheSame) {
    const auto streamed = declare(usual());
    const std::string message = users();
    const auto decoded = pgoutput::decode_relation(message, false);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*relations_.describe(*decoded, usual()), streamed);
    auto before = usual();
    before.columns[1].default_expression.clear();
    const auto described = relations_.describe(*decoded, before);
    ASSERT_TRUE(described);
    EXPECT_NE(*described, streamed);
    EXPECT_EQ((*described)->columns[1].default_expression, "");
    EXPECT_EQ((*described)->columns[1].comment, "as they call themselves");
}

// What the configuration names beside the tables' own keys.
class MessageKeysTest : public ::testing::Test {
protected:
    MessageKeysTest()
        : named_(NamedColumns::of_map("source.message_keys", {{"public.users", "name+age"}})) {}

    Result<Relations::Declared> declare(const std::string& table,
                                        const std::vector<SentColumn>& columns = kUsers_columns) {
        const auto message = testing::relation(kUsers, "public", table, 'f', columns).substr(25);
        if (auto asked = relations_.declare(message); asked != Relations::Declared::ask) {
            return asked;
        }
        auto done = relations_.answer(*relations_.question(), {.primary_key = {"id"}});
        if (!done) return std::unexpected(done.error());
        return relations_.declare(message);
    }
    const Relation& now() { return *relations_.find(Oid{kUsers})->relation; }

    TypeMap types_;
    SourceCarryOver carry_over_;
    const NamedColumns named_;
    Relations relations_{
        types_,
        {.table = [](auto, auto) { return true; },
         .column = [](auto, auto, std::string_view column) { return column != "secret"; },
         .message_keys = &named_},
        false,
        carry_over_,
        {}};
};

TEST_F(MessageKeysTest, StandBesideTheKeyThatRowsAreFoundBy) {
    ASSERT_EQ(declare("users"), Relations::Declared::known);
    EXPECT_THAT(now().message_key, ElementsAre(1U, 2U));
    EXPECT_THAT(now().key, ElementsAre(0U));
    EXPECT_THAT(record_key(now()), ElementsAre(1U, 2U));
}

TEST_F(MessageKeysTest, OtherTablesKeepTheirs) {
    ASSERT_EQ(declare("orders"), Relations::Declared::known);
    EXPECT_THAT(now().message_key, IsEmpty());
    EXPECT_THAT(record_key(now()), ElementsAre(0U));
}

TEST_F(MessageKeysTest, AColumnThatIsNotThereStopsUsAndIsNamed) {
    const auto declared = declare("users", {{"id", kInteger, true}, {"name", kString, true}});
    ASSERT_FALSE(declared);
    EXPECT_EQ(declared.error().next, Error::Next::stop);
    EXPECT_EQ(declared.error().where, "table public.users");
    EXPECT_EQ(declared.error().what,
              "source.message_keys names the column age, which is not in the table");
}

// What makes the key of records of a table without a primary key.
class UniqueKeysTest : public ::testing::Test {
protected:
    using Indexes = std::vector<std::vector<std::string>>;

    // The table with all of its rows sent, none of it, or the columns that are marked.
    const Relation& declare(char identity, Indexes indexes,
                            std::vector<SentColumn> columns = kUsers_columns) {
        for (SentColumn& column : columns) {
            if (identity == 'f') column.identity = true;
            if (identity == 'n') column.identity = false;
        }
        const auto message =
            testing::relation(kUsers, "public", "users", identity, columns).substr(25);
        EXPECT_EQ(relations_.declare(message), Relations::Declared::ask);
        TableFacts facts;
        facts.exists = true;
        facts.unique_indexes = std::move(indexes);
        EXPECT_TRUE(relations_.answer(*relations_.question(), facts));
        EXPECT_EQ(relations_.declare(message), Relations::Declared::known);
        return now();
    }
    const Relation& now() { return *relations_.find(Oid{kUsers})->relation; }

    TypeMap types_;
    SourceCarryOver carry_over_;
    NamedColumns named_;
    Relations relations_{
        types_,
        {.table = [](auto, auto) { return true; },
         .column = [](auto, auto, std::string_view column) { return column != "age"; },
         .message_keys = &named_,
         .unique_keys = true},
        false,
        carry_over_,
        {}};
};

TEST_F(UniqueKeysTest, AreOfTheFirstIndexInItsOrder) {
    const Relation& users = declare('f', {{"name", "id"}, {"id"}});
    EXPECT_THAT(users.unique_key, ElementsAre(1U, 0U));
    EXPECT_THAT(users.key, IsEmpty()) << "rows are not found by it";
    EXPECT_THAT(record_key(users), ElementsAre(1U, 0U));
}

TEST_F(UniqueKeysTest, AreOfTheFirstWhoseColumnsComeWithOldRows) {
    // A replica identity that is the index on id.
    EXPECT_THAT(declare('i', {{"name"}, {"id"}}).unique_key, ElementsAre(0U));
    // As long as the stream has a primary key that the catalog has not any more.
    const Relation& users = declare('d', {{"name"}});
    EXPECT_THAT(users.unique_key, IsEmpty());
    EXPECT_THAT(record_key(users), ElementsAre(0U));
}

TEST_F(UniqueKeysTest, AreOfAnyIndexWhereNoOldRowIsSent) {
    EXPECT_THAT(declare('n', {{"name"}, {"id"}}).unique_key, ElementsAre(1U));
}

TEST_F(UniqueKeysTest, AreNotOfColumnsThatAreExcludedOrNotSentAtAll) {
    EXPECT_THAT(declare('f', {{"id", "age"}, {"gone"}, {"name"}}).unique_key, ElementsAre(1U));
}

TEST_F(UniqueKeysTest, GoWithTheIndexAndMakeANewVersionOfTheTable) {
    const auto slot = declare('f', {{"id"}}).slot;
    const auto message = [] {
        auto columns = kUsers_columns;
        for (SentColumn& column : columns) column.identity = true;
        return testing::relation(kUsers, "public", "users", 'f', columns).substr(25);
    }();
    ASSERT_EQ(relations_.declare(message), Relations::Declared::known);
    const auto again = relations_.question();
    ASSERT_TRUE(again) << "the server has announced it once more, as it was";
    ASSERT_TRUE(relations_.answer(*again, {}));
    EXPECT_NE(now().slot, slot);
    EXPECT_THAT(record_key(now()), IsEmpty());
}

TEST_F(UniqueKeysTest, YieldToConfiguredOnes) {
    named_ = NamedColumns::of_map("source.message_keys", {{"public.users", "name"}});
    const Relation& users = declare('f', {{"id"}});
    EXPECT_THAT(users.unique_key, IsEmpty());
    EXPECT_THAT(record_key(users), ElementsAre(1U));
}

}  // namespace
}  // namespace pgc
