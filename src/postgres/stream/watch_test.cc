#include "postgres/stream/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::HasSubstr;

Rows answer(std::vector<std::optional<std::string>> row) {
    Rows rows;
    rows.rows.push_back(std::move(row));
    return rows;
}

SlotHealth healthy() {
    const auto health =
        read_slot_health(answer({"t", "t", "0/100", "0/200", "reserved", std::nullopt, std::nullopt,
                                 "t", "0/900", "2048"}));
    return health.value_or(SlotHealth{});
}

StreamPlan plan() {
    StreamPlan plan;
    plan.slot = "shop_slot";
    plan.publications = {"shop_pub"};
    plan.publication = "shop_pub";
    plan.max_slot_wal_keep_bytes = 1000;
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
    EXPECT_TRUE(judge(health, plan()));
}

TEST(WatchTest, RefusesAnAnswerOfAnotherShape) {
    EXPECT_FALSE(read_slot_health(Rows{}));
    EXPECT_FALSE(read_slot_health(answer({"t"})));
}

TEST(WatchTest, ADroppedSlotStopsUs) {
    const auto health = read_slot_health(answer({"f", {}, {}, {}, {}, {}, {}, "t", "0/900", {}}));
    ASSERT_TRUE(health);
    const auto judged = judge(*health, plan());
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().next, Error::Next::stop);
    EXPECT_THAT(judged.error().where, HasSubstr("shop_slot"));
}

TEST(WatchTest, ALostSlotStopsUsAndSaysWhy) {
    SlotHealth health = healthy();
    health.wal_status = "lost";
    EXPECT_THAT(judge(health, plan()).error().what, HasSubstr("wal_removed"));
    health.invalidation = "idle_timeout";
    EXPECT_THAT(judge(health, plan()).error().what, HasSubstr("idle_timeout"));
    EXPECT_EQ(judge(health, plan()).error().next, Error::Next::stop);
    EXPECT_THAT(judge(health, plan()).error().hint,
                HasSubstr("pg-capture position reset --drop-slot"));
}

TEST(WatchTest, ADroppedPublicationStopsUs) {
    SlotHealth health = healthy();
    health.publication_exists = false;
    const auto judged = judge(health, plan());
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().next, Error::Next::stop);
    EXPECT_THAT(judged.error().where, HasSubstr("shop_pub"));
}

// It may be our successor's doing: whether something is missing the start guard finds.
TEST(WatchTest, AServerThatWentAheadOfUsAtTheStartIsNotReadFrom) {
    EXPECT_TRUE(judge_start(healthy(), plan(), Lsn{0x200}));
    EXPECT_TRUE(judge_start(healthy(), plan(), Lsn{0x201}));
    const auto judged = judge_start(healthy(), plan(), Lsn{0x1FF});
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().category, Error::Category::server);
    EXPECT_EQ(judged.error().next, Error::Next::retry);
    EXPECT_THAT(judged.error().what, HasSubstr("moved on to 0/200 while we asked for 0/1FF"));
}

TEST(WatchTest, SeesTheSlotInDangerInTime) {
    SlotHealth health = healthy();
    EXPECT_EQ(risk_of(health, plan()), SlotRisk::none);
    health.safe_wal_bytes = 500;
    EXPECT_EQ(risk_of(health, plan()), SlotRisk::none);
    health.safe_wal_bytes = 199;
    EXPECT_EQ(risk_of(health, plan()), SlotRisk::near);
    health.wal_status = "unreserved";
    EXPECT_EQ(risk_of(health, plan()), SlotRisk::now);
}

TEST(WatchTest, WithoutALimitNothingIsInDanger) {
    SlotHealth health = healthy();
    StreamPlan unlimited = plan();
    unlimited.max_slot_wal_keep_bytes = -1;
    health.wal_status = "extended";
    EXPECT_EQ(risk_of(health, unlimited), SlotRisk::none);
}

}  // namespace
}  // namespace pgc
