#include "postgres/snapshot/works.h"

#include <gtest/gtest.h>

#include "support/simulated_time.h"

namespace pgc {
namespace {

using Command = SnapshotOrder::Command;
using State = SnapshotReport::State;

class SnapshotWorksTest : public testing::Test {
protected:
    SimulatedClock clock;
    Metrics metrics{"test"};
    SnapshotReports reports{clock, metrics};
    SnapshotWorks works{reports, Logger{}};

    void start(std::string id, std::vector<std::string> tables) {
        works.order({.command = Command::start,
                     .request = {.id = std::move(id), .tables = std::move(tables)}});
    }
    void order(Command command, std::string id, std::vector<std::string> tables = {}) {
        works.order(
            {.command = command, .request = {.id = std::move(id), .tables = std::move(tables)}});
    }
    State state(std::size_t request) const { return reports.report().requests.at(request).state; }
};

TEST_F(SnapshotWorksTest, WhatIsLeftIsTakenUp) {
    ASSERT_TRUE(works.take_up(kWholeSnapshot));
    EXPECT_TRUE(works.whole());
    EXPECT_EQ(works.revision(), 0U) << "nothing has changed";
    EXPECT_TRUE(reports.knows(kWholeSnapshotId));
}

TEST_F(SnapshotWorksTest, WhichTablesANameStandsForIsKeptWithTheOrder) {
    works.order({.command = Command::start, .request = {.id = "new-1", .tables = {"s.t"}}},
                OrderedBy::ourselves, {Oid{7}, Oid{9}});
    SnapshotWorks again{reports, Logger{}};
    ASSERT_TRUE(again.take_up(write_progress(works.all())));
    ASSERT_NE(again.find("new-1"), nullptr);
    EXPECT_EQ(again.find("new-1")->meant, (std::set{Oid{7}, Oid{9}}));
}

TEST_F(SnapshotWorksTest, WhatCantBeReadIsAnErrorOfThePosition) {
    const auto taken = works.take_up("something");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().category, Error::Category::position);
    EXPECT_NE(taken.error().mend, "");
}

TEST_F(SnapshotWorksTest, MessagesTouchOnlyWhatMessagesOrdered) {
    ASSERT_TRUE(works.take_up(kWholeSnapshot));
    start("ours", {"s.t"});
    works.order({.command = Command::start, .request = {.id = "theirs", .tables = {"s.t"}}},
                OrderedBy::message);
    for (const Command command : {Command::pause, Command::cancel}) {
        for (const char* id : {"initial", "ours", "theirs"}) {
            works.order({.command = command, .request = {.id = id, .tables = {}}},
                        OrderedBy::message);
        }
    }
    EXPECT_TRUE(works.whole()) << "neither paused nor cancelled";
    ASSERT_NE(works.find("ours"), nullptr);
    EXPECT_FALSE(works.find("ours")->paused);
    EXPECT_EQ(works.find("theirs"), nullptr);
}

TEST_F(SnapshotWorksTest, MessagesOrderSoManyAtATime) {
    for (std::size_t i = 0; i < 2 * SnapshotWorks::kMessaged_max; ++i) {
        works.order({.command = Command::start,
                     .request = {.id = "m" + std::to_string(i), .tables = {"s.t"}}},
                    OrderedBy::message);
    }
    EXPECT_EQ(works.all().size(), SnapshotWorks::kMessaged_max);
    const auto again = read_progress(write_progress(works.all()));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->front().messaged) << "also after a crash";
    start("ours", {"s.t"});
    EXPECT_NE(works.find("ours"), nullptr);
    works.order({.command = Command::start, .request = {.id = "initial", .tables = {"s.t"}}},
                OrderedBy::message);
    EXPECT_EQ(works.find("initial"), nullptr);
}

TEST_F(SnapshotWorksTest, WhatIsStoredOfOrdersHasABoundWhoeverGaveThem) {
    for (std::size_t i = 0; i < 30; ++i) {
        works.order({.command = Command::start,
                     .request = {.id = "s" + std::to_string(i),
                                 .tables = {"s.t"},
                                 .where = std::string(SnapshotWorks::kWhereBytes_max, ',')}});
    }
    EXPECT_GE(works.all().size(), 4U);
    EXPECT_LE(write_progress(works.all()).size(), SnapshotWorks::kOrderedBytes_max);
    EXPECT_EQ(works.find("s29"), nullptr);
    EXPECT_EQ(reports.report().requests.back().state, State::failed);
    works.order(
        {.command = Command::start,
         .request = {.id = "new-1",
                     .tables = std::vector<std::string>(5'000, "s." + std::string(60, 't'))}},
        OrderedBy::ourselves);
    EXPECT_NE(works.find("new-1"), nullptr) << "nobody would order it again";
}

TEST_F(SnapshotWorksTest, AnOrderThatComesTwiceIsOne) {
    start("a", {"s.t"});
    const auto revision = works.revision();
    start("a", {"s.u"});
    EXPECT_EQ(works.all().size(), 1U);
    EXPECT_EQ(works.revision(), revision);
    EXPECT_FALSE(works.whole());
}

TEST_F(SnapshotWorksTest, WhatNamesNoTableFails) {
    start("a", {});
    start("b", {"no dot"});
    EXPECT_TRUE(works.empty());
    EXPECT_EQ(state(0), State::failed);
    EXPECT_EQ(state(1), State::failed);
}

TEST_F(SnapshotWorksTest, OnePausesResumesAndIsCancelled) {
    start("a", {"s.t"});
    order(Command::pause, "a");
    EXPECT_TRUE(works.all_paused());
    EXPECT_EQ(state(0), State::paused);
    order(Command::resume, "a");
    EXPECT_FALSE(works.all_paused());
    const auto revision = works.revision();
    order(Command::cancel, "a");
    EXPECT_TRUE(works.empty());
    EXPECT_GT(works.revision(), revision);
    EXPECT_EQ(state(0), State::cancelled);
    order(Command::cancel, "a");  // is told in the log
}

TEST_F(SnapshotWorksTest, WithoutAnIdAllThatWereOrderedAreMeant) {
    ASSERT_TRUE(works.take_up(kWholeSnapshot));
    start("a", {"s.t"});
    start("b", {"s.u", "s.v"});
    order(Command::cancel, "", {"s.v"});
    EXPECT_EQ(works.find("b"), nullptr);
    EXPECT_NE(works.find("a"), nullptr);
    order(Command::cancel, "");
    EXPECT_EQ(works.find("a"), nullptr);
    EXPECT_NE(works.find(kWholeSnapshotId), nullptr) << "nobody ordered that";
}

}  // namespace
}  // namespace pgc
