#include "postgres/stream/statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

StreamPlan plan() {
    StreamPlan plan;
    plan.slot = "shop_slot";
    plan.publications = {"shop_pub"};
    plan.protocol_version = 2;
    return plan;
}

TEST(StreamStatementsTest, AsksForTheStreamAtAPlace) {
    EXPECT_EQ(start_replication(plan(), Lsn{0x16'B374D848}),
              "START_REPLICATION SLOT \"shop_slot\" LOGICAL 16/B374D848 "
              "(proto_version '2', publication_names '\"shop_pub\"')");
}

TEST(StreamStatementsTest, AsksOnlyForOptionsTheServerHas) {
    StreamPlan all = plan();
    all.messages = all.binary = true;
    EXPECT_THAT(start_replication(all, {}), HasSubstr(", messages 'true', binary 'true')"));
    EXPECT_THAT(start_replication(plan(), {}), Not(HasSubstr("messages")));
    EXPECT_THAT(start_replication(plan(), {}), Not(HasSubstr("binary")));
}

TEST(StreamStatementsTest, NamesCannotBeAnythingButNames) {
    StreamPlan odd = plan();
    odd.publications = {"a\"b'c", "d"};
    EXPECT_THAT(start_replication(odd, {}), HasSubstr("publication_names '\"a\"\"b''c\",\"d\"'"));
}

TEST(StreamStatementsTest, HealthIsAskedInEveryVersionsOwnWords) {
    EXPECT_THAT(slot_health_query(120022), Not(HasSubstr("s.wal_status")));
    EXPECT_THAT(slot_health_query(130024), HasSubstr("s.wal_status"));
    EXPECT_THAT(slot_health_query(150018), Not(HasSubstr("s.conflicting")));
    EXPECT_THAT(slot_health_query(160015), HasSubstr("s.conflicting"));
    EXPECT_THAT(slot_health_query(170011), HasSubstr("s.invalidation_reason"));
}

TEST(StreamStatementsTest, HowFarAStandbyHasGotIsAskedWhereOurSlotIsInUse) {
    EXPECT_THAT(replayed_query("o'slot", true),
                HasSubstr("WHERE slot_name = 'o''slot' AND active"));
    EXPECT_THAT(replayed_query("s", false), Not(HasSubstr("active")));
}

TEST(StreamStatementsTest, FindsARowByItsWholeKey) {
    Relation relation;
    relation.schema = "My Shop";
    relation.name = "users";
    relation.columns = {{.name = "id", .type = nullptr},
                        {.name = "bio", .type = nullptr},
                        {.name = "org", .type = nullptr},
                        {.name = "pic", .type = nullptr}};
    relation.key = {2, 0};
    const std::vector<std::uint32_t> wanted{1, 3};
    EXPECT_EQ(reselect_query(relation, wanted),
              "/* pg-capture: reselect */ SELECT \"bio\", \"pic\" FROM \"My Shop\".\"users\" "
              "WHERE \"org\" = $1 AND \"id\" = $2 LIMIT 1");
}

}  // namespace
}  // namespace pgc
