#include "postgres/setup/slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"

namespace pgc {
namespace {

using testing::HasSubstr;

SlotState slot(const std::map<std::string, std::optional<std::string>>& but = {}) {
    auto read = read_slots(fake_slot(but));
    EXPECT_TRUE(read);
    return std::move(read->front());
}

Error refusal(const std::map<std::string, std::optional<std::string>>& but, bool standby = false) {
    const auto sound = require_sound(slot(but), "shop", standby);
    EXPECT_FALSE(sound);
    return sound ? Error{} : sound.error();
}

TEST(SlotTest, IsReadByName) {
    const auto s = slot({{"active", "t"}, {"pid", "4711"}, {"reader", "pg-capture x"}});
    EXPECT_EQ(s.confirmed, Lsn{0x200});
    EXPECT_EQ(s.pid, 4711);
    EXPECT_EQ(s.retained_bytes, 4096);
    EXPECT_FALSE(read_slots(fake_slot({{"confirmed", "nonsense"}})));
}

TEST(SlotTest, AFreeOneOfOursIsSound) {
    EXPECT_TRUE(require_sound(slot(), "shop", false));
    EXPECT_TRUE(require_sound(slot({{"wal_status", "unreserved"}}), "shop", false));
    EXPECT_TRUE(require_sound(slot({{"wal_status", std::nullopt}}), "shop", false));
}

TEST(SlotTest, AnotherPluginOrDatabaseIsRefusedByName) {
    EXPECT_THAT(refusal({{"plugin", "wal2json"}}).what, HasSubstr("wal2json"));
    const auto e = refusal({{"database", "other"}, {"here", "f"}});
    EXPECT_THAT(e.what, HasSubstr("other"));
    EXPECT_THAT(e.hint, HasSubstr("PG_SLOT_NAME"));
    EXPECT_EQ(e.next, Error::Next::stop);
}

TEST(SlotTest, ALostOneStopsForGoodAndSaysWhy) {
    const auto e = refusal({{"wal_status", "lost"}});
    EXPECT_EQ(e.category, Error::Category::position);
    EXPECT_EQ(e.next, Error::Next::stop);
    EXPECT_THAT(e.what, HasSubstr("removed WAL"));
    EXPECT_THAT(e.hint, HasSubstr("pg-capture position reset --drop-slot"));
    EXPECT_THAT(refusal({{"invalid", "idle_timeout"}}).what, HasSubstr("idle_replication_slot"));
    EXPECT_THAT(refusal({{"invalid", "rows_removed"}}).what, HasSubstr("vacuumed"));
    EXPECT_THAT(refusal({{"invalid", "wal_level_insufficient"}}).what, HasSubstr("wal_level"));
    EXPECT_THAT(refusal({{"invalid", "something new"}}).what, HasSubstr("something new"));
}

TEST(SlotTest, OneThatSendsWhatIsPreparedIsToldApart) {
    const auto two = slot({{"two_phase", "t"}});
    EXPECT_FALSE(sends_prepared(two, 140024)) << "pgoutput learnt it with 15";
    EXPECT_TRUE(sends_prepared(two, 150000));
    EXPECT_FALSE(sends_prepared(slot(), 180006));
    EXPECT_EQ(two_phase_refused(two).next, Error::Next::stop);
    EXPECT_THAT(two_phase_refused(two).what, HasSubstr("two_phase"));
}

TEST(SlotTest, ACopyOnAStandbyIsWaitedFor) {
    EXPECT_EQ(refusal({{"synced", "t"}}, true).next, Error::Next::retry);
    EXPECT_TRUE(require_sound(slot({{"synced", "t"}}), "shop", false));
}

TEST(SlotTest, AnActiveOneSaysWhoReads) {
    const auto e = slot_in_use(slot({{"active", "t"}, {"pid", "4711"}, {"reader", "debezium"}}));
    EXPECT_EQ(e.next, Error::Next::retry);
    EXPECT_THAT(e.what, HasSubstr("is active for PID 4711 (debezium)"));
    EXPECT_THAT(e.hint, HasSubstr("pg_terminate_backend(4711)"));
}

}  // namespace
}  // namespace pgc
