#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "postgres/pgoutput/messages.h"
#include "postgres/relations/relations.h"
#include "support/walsender_messages.h"

namespace pgc {
namespace {

using testing::kUsers;

class GoneRelationsTest : public ::testing::Test {
protected:
    static std::string users(char identity = 'd') {
        return testing::relation(kUsers, "public", "users", identity,
                                 {{"id", 23, true}, {"name", 25, false}})
            .substr(25);
    }
    Relations relations() {
        return Relations{types_,
                         {.table = [](auto, auto) { return true; },
                          .column = [](auto, auto, auto) { return true; }},
                         false,
                         carry_over_,
                         {}};
    }
    static Result<void> declare(Relations& relations, const std::string& message,
                                const TableFacts& facts) {
        EXPECT_EQ(relations.declare(message), Relations::Declared::ask);
        if (auto done = relations.answer(*relations.question(), facts); !done) return done;
        EXPECT_EQ(relations.declare(message), Relations::Declared::known);
        return {};
    }
    static TableFacts facts(bool exists, std::uint64_t log_end = 0) {
        return {.primary_key = {"id"},
                .identity_index = {},
                .types = {},
                .exists = exists,
                .log_end = Lsn{log_end}};
    }
    static bool asks(const Relations& relations) { return relations.question().has_value(); }

    TypeMap types_;
    SourceCarryOver carry_over_;
    const CoveredTables all_{.all = true, .tables = {{.oid = Oid{kUsers}, .name = "users"}}};
    const CoveredTables none_{.all = true, .tables = {}};
};

TEST_F(GoneRelationsTest, ATableIsLetGoOfWhenItIsGoneAndTheStreamHasPassedIt) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users(), facts(true)));
    const std::weak_ptr<const Relation> relation = relations.find(Oid{kUsers})->relation;
    relations.let_go(all_, Lsn{50});
    EXPECT_FALSE(asks(relations));
    relations.let_go(none_, Lsn{60});
    ASSERT_TRUE(asks(relations));
    ASSERT_TRUE(relations.answer(*relations.question(), facts(false, 100)));
    relations.let_go(none_, Lsn{100});
    EXPECT_FALSE(asks(relations)) << "it is known to be gone";
    EXPECT_NE(relations.find(Oid{kUsers}), nullptr) << "its last row may be on its way";
    EXPECT_FALSE(relations.let_some_go());
    relations.let_go(none_, Lsn{101});
    EXPECT_EQ(relations.find(Oid{kUsers}), nullptr);
    EXPECT_TRUE(relation.expired());
    EXPECT_TRUE(relations.let_some_go());

    ASSERT_TRUE(declare(relations, users('f'), facts(true))) << "another table has its OID";
    EXPECT_EQ(relations.find(Oid{kUsers})->relation->slot, 0U);
    EXPECT_EQ(relations.find(Oid{kUsers})->relation->serial, 2U);
}

TEST_F(GoneRelationsTest, ATableThatTheCatalogNeverHadMayBeToCome) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users(), facts(false, 10)));
    for (int i = 0; i < 10; ++i) relations.let_go(none_, Lsn{1000});
    EXPECT_FALSE(asks(relations));
    EXPECT_NE(relations.find(Oid{kUsers}), nullptr);
}

TEST_F(GoneRelationsTest, ATableThatIsNotCapturedAnyMoreButThereStays) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users(), facts(true)));
    int asked = 0;
    for (int i = 0; i < 100; ++i) {
        relations.let_go(none_, Lsn{1000});
        if (!asks(relations)) continue;
        ++asked;
        ASSERT_TRUE(relations.answer(*relations.question(), facts(true, 10)));
    }
    EXPECT_EQ(asked, 7) << "less and less often";
    EXPECT_NE(relations.find(Oid{kUsers}), nullptr);
}

TEST_F(GoneRelationsTest, ATableThatIsAnnouncedAgainIsThereAgain) {
    auto relations = this->relations();
    ASSERT_TRUE(declare(relations, users(), facts(true)));
    relations.let_go(none_, Lsn{60});
    ASSERT_TRUE(relations.answer(*relations.question(), facts(false, 100)));
    ASSERT_TRUE(declare(relations, users('f'), facts(true)));
    relations.let_go(all_, Lsn{1000});
    EXPECT_NE(relations.find(Oid{kUsers}), nullptr);
}

TEST_F(GoneRelationsTest, WhatASnapshotWasToldIsLetGoOfWhenNobodyHasRowsOfIt) {
    auto relations = this->relations();
    const std::string bytes = users();
    const auto message = pgoutput::decode_relation(bytes, false);
    ASSERT_TRUE(message);
    auto described = relations.describe(*message, facts(true));
    ASSERT_TRUE(described);
    relations.let_go(all_, Lsn{10});
    EXPECT_EQ(*relations.describe(*message, facts(true)), *described);
    const std::weak_ptr<const Relation> relation = *described;
    described->reset();
    relations.let_go(all_, Lsn{10});
    EXPECT_TRUE(relation.expired());
}

}  // namespace
}  // namespace pgc
