#include "pipeline/start_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using testing::HasSubstr;
using Because = StartPlan::Because;

class StartGuardTest : public testing::Test {
protected:
    SourceIdentity source{.system = "7340",
                          .timeline = 3,
                          .history = {{1, Lsn{500}}, {2, Lsn{900}}},
                          .database = "shop",
                          .slot = "s",
                          .slot_is_new = false,
                          .slot_confirmed = Lsn{1000},
                          .server_end = Lsn{5000}};
    StoredPosition stored{.pipeline = "p",
                          .system = "7340",
                          .timeline = 3,
                          .database = "shop",
                          .slot = "s",
                          .resume_at = Lsn{2000}};

    const StoreWords words{.where = "/state/p.position"};

    StartPlan planned(const std::optional<StoredPosition>& position, bool missing = false) {
        auto plan = plan_start("p", {position, missing}, source, words);
        EXPECT_TRUE(plan) << describe(plan.error());
        return plan.value_or(StartPlan{});
    }
    Error refused(const std::optional<StoredPosition>& position, bool missing = false) {
        auto plan = plan_start("p", {position, missing}, source, words);
        EXPECT_FALSE(plan) << "started at " << to_string(plan->from);
        return plan ? Error{} : plan.error();
    }
    void expect_stop(const Error& error, const std::string& says) {
        EXPECT_EQ(error.category, Error::Category::position);
        EXPECT_EQ(error.next, Error::Next::stop);
        EXPECT_THAT(error.what, HasSubstr(says));
        EXPECT_THAT(error.hint, HasSubstr("pg-capture position reset --yes"))
            << "must say how to go on";
    }
};

TEST_F(StartGuardTest, ANewSlotIsStoredFirstThenReadFromItsConsistentPoint) {
    source.slot_is_new = true;
    const StartPlan plan = planned(std::nullopt);
    EXPECT_EQ(plan.from, Lsn{1000});
    EXPECT_EQ(plan.because, Because::new_slot);
    ASSERT_TRUE(plan.store_first);
    EXPECT_EQ(*plan.store_first, (StoredPosition{"p", "7340", 3, "shop", "s", Lsn{1000}}));
}

TEST_F(StartGuardTest, AForeignSlotIsTakenOverWhereItStandsAndThatIsStoredFirst) {
    const StartPlan plan = planned(std::nullopt);
    EXPECT_EQ(plan.from, Lsn{1000});
    EXPECT_EQ(plan.because, Because::foreign_slot);
    ASSERT_TRUE(plan.store_first);
    EXPECT_EQ(plan.store_first->resume_at, Lsn{1000});
}

TEST_F(StartGuardTest, AMissingStoreIsMadeWhileThereIsNoSlotYet) {
    source.slot_is_gone = true;
    source.slot_confirmed = {};
    const StartPlan plan = planned(std::nullopt, true);
    EXPECT_EQ(plan.because, Because::no_store);
    EXPECT_FALSE(plan.store_first);
}

TEST_F(StartGuardTest, AMissingStoreWithTheSlotThereStops) {
    const Error error = refused(std::nullopt, true);
    EXPECT_EQ(error.category, Error::Category::position);
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_THAT(error.what, HasSubstr("the store of positions is missing"));
    EXPECT_THAT(error.where, HasSubstr("slot s at 0/3E8, no /state/p.position"));
    EXPECT_THAT(error.hint, HasSubstr("pg-capture adopt"));
}

TEST_F(StartGuardTest, ASlotBehindOurPositionIsReadFromOurPosition) {
    const StartPlan plan = planned(stored);
    EXPECT_EQ(plan.from, Lsn{2000});
    EXPECT_EQ(plan.because, Because::stored);
    EXPECT_FALSE(plan.store_first);
}

TEST_F(StartGuardTest, ASlotAtOurPositionIsFine) {
    source.slot_confirmed = Lsn{2000};
    EXPECT_EQ(planned(stored).from, Lsn{2000});
}

TEST_F(StartGuardTest, ASlotRewoundByACrashOfTheServerIsFine) {
    source.slot_confirmed = Lsn{1};
    EXPECT_EQ(planned(stored).from, Lsn{2000});
}

TEST_F(StartGuardTest, ASlotAheadOfOurPositionStops) {
    source.slot_confirmed = Lsn{2001};
    expect_stop(refused(stored), "ahead of our position");
}

TEST_F(StartGuardTest, ASlotThatWasDroppedStops) {
    source.slot_is_new = true;
    source.slot_confirmed = Lsn{4000};
    expect_stop(refused(stored), "created again");
}

TEST_F(StartGuardTest, ASlotThatWasDroppedStopsEvenIfItStandsWhereWeAre) {
    source.slot_is_new = true;
    source.slot_confirmed = stored.resume_at;
    expect_stop(refused(stored), "created again");
}

TEST_F(StartGuardTest, ASlotThatIsGoneStops) {
    source.slot_is_gone = true;
    source.slot_confirmed = {};
    expect_stop(refused(stored), "is gone");
}

TEST_F(StartGuardTest, AnotherSystemIsToldBeforeThatItsSlotIsGone) {
    source.slot_is_gone = true;
    source.slot_confirmed = {};
    source.system = "9999";
    expect_stop(refused(stored), "database system 7340, not to 9999");
}

TEST_F(StartGuardTest, AnotherSystemStops) {
    source.system = "9999";
    expect_stop(refused(stored), "database system 7340, not to 9999");
}

TEST_F(StartGuardTest, AnotherDatabaseStops) {
    source.database = "bank";
    expect_stop(refused(stored), "database shop, not to bank");
}

TEST_F(StartGuardTest, AnotherSlotStops) {
    source.slot = "t";
    expect_stop(refused(stored), "slot s, not to t");
}

TEST_F(StartGuardTest, AServerWhoseLogEndsBeforeOurPositionStops) {
    source.server_end = Lsn{1999};
    source.slot_confirmed = Lsn{100};
    expect_stop(refused(stored), "restored to an earlier state");
}

TEST_F(StartGuardTest, AServerWhoseLogEndsAtOurPositionIsFine) {
    source.server_end = Lsn{2000};
    EXPECT_EQ(planned(stored).from, Lsn{2000});
}

TEST_F(StartGuardTest, APromotedServerThatHasOurPositionIsFineAndStoredFirst) {
    stored.timeline = 2;
    stored.resume_at = Lsn{900};
    source.slot_confirmed = Lsn{800};
    const StartPlan plan = planned(stored);
    EXPECT_EQ(plan.from, Lsn{900});
    EXPECT_EQ(plan.because, Because::promoted);
    ASSERT_TRUE(plan.store_first);
    EXPECT_EQ(plan.store_first->timeline, 3U);
    EXPECT_EQ(plan.store_first->resume_at, Lsn{900});
}

// What is stored while a standby is followed is never past the switch: Source::certain_until().
TEST_F(StartGuardTest, TheSwitchItselfIsTheLastPlaceOfTheOldTimeline) {
    stored.timeline = 2;
    source.slot_confirmed = Lsn{800};
    for (const std::uint64_t at : {899U, 900U}) {
        stored.resume_at = Lsn{at};
        EXPECT_EQ(planned(stored).from, Lsn{at});
    }
    for (const std::uint64_t at : {901U, 1000U}) {
        stored.resume_at = Lsn{at};
        expect_stop(refused(stored), "left our timeline 2");
        stored.timeline = 3;
        EXPECT_EQ(planned(stored).because, Because::stored) << "stored as what it is";
        stored.timeline = 2;
    }
}

TEST_F(StartGuardTest, APromotedServerThatLeftUsBeforeOurPositionStops) {
    stored.timeline = 2;
    stored.resume_at = Lsn{901};
    source.slot_confirmed = Lsn{800};
    expect_stop(refused(stored), "left our timeline 2 at 0/384");
}

TEST_F(StartGuardTest, AGrandchildIsJudgedByWhereOurTimelineWasLeft) {
    stored.timeline = 1;
    stored.resume_at = Lsn{501};
    source.slot_confirmed = Lsn{100};
    expect_stop(refused(stored), "left our timeline 1");
    stored.resume_at = Lsn{500};
    EXPECT_EQ(planned(stored).because, Because::promoted);
}

TEST_F(StartGuardTest, AnOlderTimelineStops) {
    stored.timeline = 4;
    expect_stop(refused(stored), "does not descend from ours, 4");
}

TEST_F(StartGuardTest, ATimelineWithUnknownHistoryStops) {
    stored.timeline = 2;
    source.history.clear();
    expect_stop(refused(stored), "does not descend");
}

TEST_F(StartGuardTest, ADivergedServerIsToldAsSuchThoughTheSlotIsAheadToo) {
    stored.timeline = 2;
    stored.resume_at = Lsn{950};
    expect_stop(refused(stored), "do not exist there");
}

TEST_F(StartGuardTest, AStartInsideATransactionReachesToItsCommit) {
    stored.within = {Lsn{2100}, 7};
    EXPECT_EQ(planned(stored).point(), (ResumePoint{Lsn{2000}, {Lsn{2100}, 7}}));
    source.server_end = Lsn{2050};
    EXPECT_THAT(refused(stored).what, HasSubstr("ends at 0/802, before our position"));
}

TEST_F(StartGuardTest, AnotherPublicationCountsOtherwise) {
    stored.within = {Lsn{2100}, 7};
    stored.publication = "p1";
    source.publication = "p1";
    EXPECT_EQ(planned(stored).point(), stored.point());
    EXPECT_FALSE(planned(stored).store_first);
    source.publication = "p2";
    const StartPlan plan = planned(stored);
    EXPECT_TRUE(plan.comes_again);
    EXPECT_EQ(plan.point(), ResumePoint{Lsn{2000}});
    EXPECT_EQ(plan.store_first->point(), ResumePoint{Lsn{2000}});
}

TEST_F(StartGuardTest, APromotedServerMustHaveTheTransactionWeAreIn) {
    stored.within = {Lsn{2100}, 7};
    source.timeline = 4;
    source.history.push_back({3, Lsn{2099}});
    EXPECT_THAT(refused(stored).what, HasSubstr("before our position"));
    source.history.back().at = Lsn{2100};
    const StartPlan plan = planned(stored);
    EXPECT_EQ(plan.point(), stored.point());
    EXPECT_EQ(plan.store_first->point(), stored.point());
}

TEST_F(StartGuardTest, ErrorsSayWhereTheSlotAndWeStand) {
    source.slot_confirmed = Lsn{2001};
    const Error error = refused(stored);
    EXPECT_THAT(error.what, HasSubstr("0/7D1"));
    EXPECT_THAT(error.where, HasSubstr("slot s"));
    EXPECT_THAT(error.where, HasSubstr("0/7D0"));
}

}  // namespace
}  // namespace pgc
