#include "postgres/slots/slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using testing::HasSubstr;

class SlotsTest : public testing::Test {
protected:
    BlockingLink link() {
        auto connected = BlockingLink::connect(links, LinkFactory::Use::sql, clock, waiter,
                                               std::chrono::seconds{5});
        EXPECT_TRUE(connected);
        return std::move(*connected);
    }
    ManualClock clock;
    NoWait waiter;
    FakeServer server;
    FakeLinks links{server};
};

TEST_F(SlotsTest, AreListedAsAPersonWantsThem) {
    server.slow = true;
    server.answers("pg-capture: slots */",
                   fake_slot({{"active", "t"}, {"pid", "9"}, {"reader", "x"}, {"retained", "-5"}}));
    auto sql = link();
    const auto slots = list_slots(sql, "shop_slot");
    ASSERT_TRUE(slots && slots->size() == 1);
    const auto& slot = slots->front();
    EXPECT_TRUE(slot.ours);
    EXPECT_EQ(slot.reader, "PID 9 (x)");
    EXPECT_EQ(slot.confirmed, "0/200");
    EXPECT_EQ(slot.wal_status, "reserved");
    EXPECT_EQ(slot.retained_bytes, 0U);
    EXPECT_FALSE(list_slots(sql, "other")->front().ours);
}

TEST_F(SlotsTest, ALostOneSaysWhy) {
    server.answers("pg-capture: slots */", fake_slot({{"invalid", "idle_timeout"}}));
    auto sql = link();
    EXPECT_EQ(list_slots(sql, "")->front().wal_status, "lost: idle_timeout");
    server.answers("pg-capture: slots */", fake_slot({{"wal_status", std::nullopt}}));
    EXPECT_EQ(list_slots(sql, "")->front().wal_status, "unknown");
}

TEST_F(SlotsTest, OneIsFoundByItsName) {
    server.answers("pg-capture: slots */", fake_slot({{"safe", "-7"}}));
    auto sql = link();
    const auto slot = find_slot(sql, "shop_slot");
    ASSERT_TRUE(slot && *slot);
    EXPECT_EQ((*slot)->server_end, "0/300");
    EXPECT_EQ((*slot)->behind_bytes, 0x100U);
    EXPECT_EQ((*slot)->safe_bytes, -7);
    EXPECT_FALSE((*slot)->lost);
    server.answers("pg-capture: slots */", fake_slot({{"confirmed", std::nullopt}}));
    EXPECT_EQ((*find_slot(sql, "shop_slot"))->behind_bytes, 0U);
    for (const auto& lost : {fake_slot({{"wal_status", "lost"}, {"restart", std::nullopt}}),
                             fake_slot({{"invalid", "rows_removed"}})}) {
        server.answers("pg-capture: slots */", lost);
        EXPECT_TRUE((*find_slot(sql, "shop_slot"))->lost);
    }
    server.answers("pg-capture: slots */", no_slots());
    EXPECT_FALSE(*find_slot(sql, "shop_slot"));
}

TEST_F(SlotsTest, OneThatNobodyReadsSaysForHowLongAndForHowLongItMay) {
    server.answers("pg-capture: slots */",
                   fake_slot({{"inactive_s", "75"}, {"idle_timeout_s", "3600"}}));
    auto sql = link();
    auto slot = find_slot(sql, "shop_slot");
    EXPECT_EQ((*slot)->unread_for, std::chrono::seconds{75});
    EXPECT_EQ((*slot)->unread_max, std::chrono::hours{1});
    server.answers("pg-capture: slots */", fake_slot({{"idle_timeout_s", "0"}}));
    slot = find_slot(sql, "shop_slot");
    EXPECT_FALSE((*slot)->unread_for);
    EXPECT_FALSE((*slot)->unread_max);
}

TEST_F(SlotsTest, AnActiveOneIsNotDropped) {
    server.answers("pg-capture: slots */", fake_slot({{"active", "t"}, {"pid", "9"}}));
    auto sql = link();
    const auto dropped = drop_slot(sql, "shop_slot");
    ASSERT_FALSE(dropped);
    EXPECT_EQ(dropped.error().next, Error::Next::stop);
    EXPECT_THAT(dropped.error().hint, HasSubstr("pg_terminate_backend(9)"));
}

TEST_F(SlotsTest, AnIdleOneIsDroppedAndAMissingOneIsNotThere) {
    server.answers("pg-capture: slots */", fake_slot());
    server.answers("pg_drop_replication_slot('shop_slot')", Rows{});
    auto sql = link();
    EXPECT_EQ(*drop_slot(sql, "shop_slot"), Dropped::yes);
    server.answers("pg-capture: slots */", no_slots());
    EXPECT_EQ(*drop_slot(sql, "shop_slot"), Dropped::not_there);
}

}  // namespace
}  // namespace pgc
