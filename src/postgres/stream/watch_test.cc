#include "postgres/stream/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;

Rows answer(std::vector<std::optional<std::string>> row) {
    Rows rows;
    rows.rows.push_back(std::move(row));
    return rows;
}

SlotHealth healthy() {
    const auto health = read_slot_health(
        answer({"t", "t", "0/100", "0/200", "reserved", std::nullopt, std::nullopt, "t", "0/900",
                "2048", "Client: WalSenderWaitForWAL", std::nullopt, "0"}));
    return health.value_or(SlotHealth{});
}

StreamPlan watched_plan() {
    StreamPlan plan;
    plan.slot = "shop_slot";
    plan.publications = {"shop_pub"};
    plan.publication = "shop_pub";
    return plan;
}

TEST(WatchTest, ReadsWhatTheServerSays) {
    const SlotHealth health = healthy();
    EXPECT_TRUE(health.slot_exists);
    EXPECT_TRUE(health.active);
    EXPECT_EQ(health.restart, Lsn{0x100});
    EXPECT_EQ(health.confirmed, Lsn{0x200});
    EXPECT_EQ(health.wal_status, "reserved");
    EXPECT_FALSE(health.safe_wal_bytes);
    EXPECT_TRUE(health.publication_exists);
    EXPECT_EQ(health.server_end, Lsn{0x900});
    EXPECT_EQ(health.retained_bytes, 2048);
    EXPECT_EQ(health.walsender_waits_for, "Client: WalSenderWaitForWAL");
    EXPECT_FALSE(health.inactive_for);
    EXPECT_EQ(health.idle_timeout, Duration{0});
    EXPECT_TRUE(judge(health, watched_plan()));
}

TEST(WatchTest, RefusesAnAnswerOfAnotherShape) {
    EXPECT_FALSE(read_slot_health(Rows{}));
    EXPECT_FALSE(read_slot_health(answer({"t"})));
}

TEST(WatchTest, ADroppedSlotStopsUs) {
    const auto health =
        read_slot_health(answer({"f", {}, {}, {}, {}, {}, {}, "t", "0/900", {}, {}, {}, {}}));
    ASSERT_TRUE(health);
    const auto judged = judge(*health, watched_plan());
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().next, Error::Next::stop);
    EXPECT_THAT(judged.error().where, HasSubstr("shop_slot"));
}

TEST(WatchTest, ALostSlotStopsUsAndSaysWhy) {
    SlotHealth health = healthy();
    health.wal_status = "lost";
    EXPECT_THAT(judge(health, watched_plan()).error().what, HasSubstr("wal_removed"));
    health.invalidation = "idle_timeout";
    EXPECT_THAT(judge(health, watched_plan()).error().what, HasSubstr("idle_timeout"));
    EXPECT_EQ(judge(health, watched_plan()).error().next, Error::Next::stop);
    EXPECT_THAT(judge(health, watched_plan()).error().hint,
                HasSubstr("pg-capture position reset --drop-slot"));
}

TEST(WatchTest, ALostSlotThatMayBeReplacedIsLeftToTheNextAttempt) {
    SlotHealth health = healthy();
    health.wal_status = "lost";
    EXPECT_EQ(judge(health, watched_plan(), true).error().next, Error::Next::retry);
    health.slot_exists = false;
    EXPECT_EQ(judge(health, watched_plan(), true).error().next, Error::Next::retry);
    health = healthy();
    health.publication_exists = false;
    EXPECT_EQ(judge(health, watched_plan(), true).error().next, Error::Next::stop);
}

TEST(WatchTest, ADroppedPublicationStopsUs) {
    SlotHealth health = healthy();
    health.publication_exists = false;
    const auto judged = judge(health, watched_plan());
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().next, Error::Next::stop);
    EXPECT_THAT(judged.error().where, HasSubstr("shop_pub"));
}

// It may be our successor's doing: whether something is missing the start guard finds.
TEST(WatchTest, AServerThatWentAheadOfUsAtTheStartIsNotReadFrom) {
    EXPECT_TRUE(judge_start(healthy(), watched_plan(), Lsn{0x200}));
    EXPECT_TRUE(judge_start(healthy(), watched_plan(), Lsn{0x201}));
    const auto judged = judge_start(healthy(), watched_plan(), Lsn{0x1FF});
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().category, Error::Category::server);
    EXPECT_EQ(judged.error().next, Error::Next::retry);
    EXPECT_THAT(judged.error().what, HasSubstr("moved on to 0/200 while we asked for 0/1FF"));
}

TEST(WatchTest, SeesTheSlotInDangerInTime) {
    SlotHealth health = healthy();
    health.retained_bytes = 500;
    EXPECT_EQ(risk_of(health), SlotRisk::none);
    health.safe_wal_bytes = 500;
    EXPECT_EQ(risk_of(health), SlotRisk::none);
    health.wal_status = "extended";
    EXPECT_EQ(risk_of(health), SlotRisk::large);
    health.retained_bytes = 801;
    health.safe_wal_bytes = 199;
    EXPECT_EQ(risk_of(health), SlotRisk::near);
    health.safe_wal_bytes = -1;
    EXPECT_EQ(risk_of(health), SlotRisk::near);
    health.wal_status = "unreserved";
    EXPECT_EQ(risk_of(health), SlotRisk::now);
}

TEST(WatchTest, WithoutALimitWhatIsKeptIsStillTooMuchForTheDisk) {
    SlotHealth health = healthy();
    health.retained_bytes = 1'000'000'000;
    EXPECT_EQ(risk_of(health), SlotRisk::none);
    health.wal_status = "extended";
    EXPECT_EQ(risk_of(health), SlotRisk::large);
}

// While rows of a new slot's snapshot are read nobody reads from the slot.
TEST(WatchTest, SeesTheSlotThatNobodyReadsInDangerInTime) {
    SlotHealth health = healthy();
    health.inactive_for = std::chrono::seconds{79};
    EXPECT_EQ(risk_of(health), SlotRisk::none) << "it may be unread for as long as it likes";
    health.idle_timeout = std::chrono::seconds{100};
    EXPECT_EQ(risk_of(health), SlotRisk::none);
    health.inactive_for = std::chrono::seconds{80};
    EXPECT_EQ(risk_of(health), SlotRisk::unread);
    health.inactive_for.reset();
    EXPECT_EQ(risk_of(health), SlotRisk::none);
}

class ARiskOfTheSlot : public ::testing::TestWithParam<SlotRisk> {};

TEST_P(ARiskOfTheSlot, IsReportedWithTheWayOut) {
    SlotHealth health = healthy();
    health.inactive_for = std::chrono::seconds{80};
    ManualClock clock;
    LogText lines;
    Log log{{}, lines, clock};
    report(GetParam(), health, log.logger("postgres"));
    EXPECT_THAT(lines.text, HasSubstr("slot"));
    EXPECT_THAT(lines.text, HasSubstr("hint="));
}

INSTANTIATE_TEST_SUITE_P(Every, ARiskOfTheSlot,
                         ::testing::Values(SlotRisk::large, SlotRisk::near, SlotRisk::now,
                                           SlotRisk::unread));

}  // namespace
}  // namespace pgc
