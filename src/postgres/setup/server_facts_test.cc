#include "postgres/setup/server_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

ServerFacts facts_but(const std::map<std::string, std::optional<std::string>>& but = {},
                      int version = 150018) {
    const auto read = read_server_facts(fake_facts(but), version);
    EXPECT_TRUE(read);
    return read.value_or(ServerFacts{});
}

TEST(ServerFactsTest, AreReadByName) {
    const auto f = facts_but({{"max_slot_wal_keep_mb", "1024"}, {"encoding", "SQL_ASCII"}});
    EXPECT_EQ(f.wal_sender_timeout, std::chrono::seconds{60});
    EXPECT_EQ(f.max_slot_wal_keep_bytes, 1024LL << 20);
    EXPECT_TRUE(f.sql_ascii());
    EXPECT_EQ(f.role, "cdc");
    EXPECT_TRUE(f.superuser);
}

TEST(ServerFactsTest, OldServersKnowNoLimitForSlots) {
    EXPECT_EQ(facts_but({{"max_slot_wal_keep_mb", std::nullopt}}).max_slot_wal_keep_bytes, -1);
    EXPECT_EQ(facts_but({{"max_slot_wal_keep_mb", "-1"}}).max_slot_wal_keep_bytes, -1);
}

TEST(ServerFactsTest, AStrangeAnswerIsAnError) {
    EXPECT_FALSE(read_server_facts(Rows{}, 150018));
    EXPECT_FALSE(read_server_facts(fake_facts({{"slots", "many"}}), 150018));
}

TEST(ServerFactsTest, EachVersionHasItsProtocol) {
    EXPECT_EQ(protocol_version(100023), 1);
    EXPECT_EQ(protocol_version(130000), 1);
    EXPECT_EQ(protocol_version(140000), 2);
    EXPECT_EQ(protocol_version(150000), 3);
    EXPECT_EQ(protocol_version(160000), 4);
    EXPECT_EQ(protocol_version(180006), 4);
}

TEST(ServerFactsTest, OnlyAServerThatCanDecodeItsLogIsUsable) {
    EXPECT_TRUE(require_usable(facts_but()));
    const auto replica = require_usable(facts_but({{"wal_level", "replica"}}));
    ASSERT_FALSE(replica);
    EXPECT_EQ(replica.error().next, Error::Next::stop);
    EXPECT_THAT(replica.error().hint, HasSubstr("ALTER SYSTEM SET wal_level = logical"));
    EXPECT_FALSE(require_usable(facts_but({}, 90624)));
    EXPECT_FALSE(require_usable(facts_but({{"standby", "t"}}, 150018)));
    EXPECT_TRUE(require_usable(facts_but({{"standby", "t"}}, 160000)));
}

TEST(ServerFactsTest, AServerWithoutWalsendersIsToldAllItLacksAtOnce) {
    const auto none = require_usable(facts_but({{"wal_level", "minimal"}, {"senders_max", "0"}}));
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().hint, HasSubstr("SET max_wal_senders = 10"));
    const auto slots = require_usable(facts_but({{"slots_max", "0"}}));
    ASSERT_FALSE(slots);
    EXPECT_THAT(slots.error().hint, HasSubstr("SET max_replication_slots = 10"));
}

TEST(ServerFactsTest, KnowsTheMinorVersionsThatLoseChanges) {
    EXPECT_THAT(known_bugs(150018), IsEmpty());
    EXPECT_THAT(known_bugs(180000), IsEmpty());
    EXPECT_THAT(known_bugs(90600), IsEmpty());
    const auto old = known_bugs(150007);
    ASSERT_EQ(old.size(), 4U);
    EXPECT_THAT(old.front().hint, HasSubstr("15.13"));
    EXPECT_EQ(known_bugs(170005).size(), 1U);  // fixed in 17.6 only
}

TEST(ServerFactsTest, VersionsReadAsPeopleWriteThem) {
    EXPECT_EQ(version_name(150018), "15.18");
    EXPECT_EQ(version_name(90624), "9.6");
}

}  // namespace
}  // namespace pgc
