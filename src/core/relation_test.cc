#include "core/relation.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "support/changes.h"

namespace pgc {
namespace {

using Places = std::vector<std::uint32_t>;
using test::column;

Relation three_columns(ReplicaIdentity identity, Places key, Places identity_places) {
    Relation relation;
    relation.name = "t";
    relation.identity = identity;
    relation.columns = {column("a"), column("b"), column("c")};
    relation.key = std::move(key);
    for (const std::uint32_t place : identity_places) {
        relation.columns[place].identity = true;
    }
    return relation;
}

TEST(RecordKeyTest, TheKeyIsThePrimaryKeyInItsOrder) {
    EXPECT_EQ(record_key(three_columns(ReplicaIdentity::key, {2, 0}, {0, 2})), (Places{2, 0}));
}

TEST(RecordKeyTest, TheKeyIsThePrimaryKeyWhereAllOfTheOldRowIsSent) {
    EXPECT_EQ(record_key(three_columns(ReplicaIdentity::full, {1}, {0, 1, 2})), Places{1});
}

TEST(RecordKeyTest, TheKeyIsTheIdentityIndexsWhereThePrimaryKeyIsNotSent) {
    EXPECT_EQ(record_key(three_columns(ReplicaIdentity::index, {0}, {1, 2})), (Places{1, 2}));
}

TEST(RecordKeyTest, TheKeyIsThePrimaryKeyWhereTheIdentityIndexHoldsIt) {
    EXPECT_EQ(record_key(three_columns(ReplicaIdentity::index, {2}, {1, 2})), Places{2});
}

TEST(RecordKeyTest, ATableWithoutKeyHasNone) {
    EXPECT_EQ(record_key(three_columns(ReplicaIdentity::full, {}, {0, 1, 2})), Places{});
}

TEST(RecordKeyTest, AKeyThatIsNotWhollyCapturedIsNone) {
    Relation relation = three_columns(ReplicaIdentity::key, {0, 1}, {0, 1});
    relation.columns[1].captured = false;
    EXPECT_EQ(record_key(relation), Places{});
}

TEST(RecordKeyTest, AnIdentityIndexThatIsNotWhollyCapturedIsNone) {
    Relation relation = three_columns(ReplicaIdentity::index, {0}, {1, 2});
    relation.columns[2].captured = false;
    EXPECT_EQ(record_key(relation), Places{});
}

TEST(RecordKeyTest, AConfiguredKeyWinsOverAllOthers) {
    Relation relation = three_columns(ReplicaIdentity::full, {0}, {0, 1, 2});
    relation.message_key = {2, 1};
    EXPECT_EQ(record_key(relation), (Places{2, 1}));
    relation.key.clear();
    EXPECT_EQ(record_key(relation), (Places{2, 1})) << "a table without a key has one then";
}

TEST(RecordKeyTest, AUniqueIndexsColumnsWinOverTheReplicaIdentity) {
    Relation relation = three_columns(ReplicaIdentity::index, {0, 1}, {0, 1});
    relation.unique_key = {1};
    EXPECT_EQ(record_key(relation), Places{1});
    relation.message_key = {2};
    EXPECT_EQ(record_key(relation), Places{2}) << "a configured key over both";
}

TEST(SqlNameTest, IsQuoted) {
    Relation relation;
    relation.schema = "public";
    relation.name = "my \"T\"";
    EXPECT_EQ(sql_name(relation), R"("public"."my ""T""")");
}

}  // namespace
}  // namespace pgc
