#include "postgres/snapshot/jobs.h"

#include <gtest/gtest.h>

#include "support/simulated_time.h"

namespace pgc {
namespace {

using Verb = SnapshotCommand::Verb;
using State = SnapshotReport::State;

class SnapshotJobsTest : public testing::Test {
protected:
    SimulatedClock clock;
    Metrics metrics{"test"};
    SnapshotReports reports{clock, metrics};
    SnapshotJobs jobs{reports, Logger{}};

    void start(std::string id, std::vector<std::string> tables) {
        jobs.request(
            {.verb = Verb::start, .request = {.id = std::move(id), .tables = std::move(tables)}});
    }
    void request(Verb verb, std::string id, std::vector<std::string> tables = {}) {
        jobs.request({.verb = verb, .request = {.id = std::move(id), .tables = std::move(tables)}});
    }
    State state(std::size_t request) const { return reports.report().requests.at(request).state; }
};

TEST_F(SnapshotJobsTest, WhatIsLeftIsRestored) {
    ASSERT_TRUE(jobs.restore(kWholeSnapshot));
    EXPECT_TRUE(jobs.whole());
    EXPECT_EQ(jobs.revision(), 0U) << "nothing has changed";
    EXPECT_TRUE(reports.knows(kWholeSnapshotId));
}

TEST_F(SnapshotJobsTest, WhichTablesANameStandsForIsKeptWithTheRequest) {
    jobs.request({.verb = Verb::start, .request = {.id = "new-1", .tables = {"s.t"}}},
                 RequestedBy::ourselves, {Oid{7}, Oid{9}});
    SnapshotJobs again{reports, Logger{}};
    ASSERT_TRUE(again.restore(write_progress(jobs.all())));
    ASSERT_NE(again.find("new-1"), nullptr);
    EXPECT_EQ(again.find("new-1")->pending, (std::set{Oid{7}, Oid{9}}));
}

TEST_F(SnapshotJobsTest, WhatCantBeReadIsAnErrorOfThePosition) {
    const auto taken = jobs.restore("something");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().category, Error::Category::position);
    EXPECT_NE(taken.error().hint, "");
}

TEST_F(SnapshotJobsTest, MessagesTouchOnlyWhatMessagesRequested) {
    ASSERT_TRUE(jobs.restore(kWholeSnapshot));
    start("ours", {"s.t"});
    jobs.request({.verb = Verb::start, .request = {.id = "theirs", .tables = {"s.t"}}},
                 RequestedBy::message);
    for (const Verb verb : {Verb::pause, Verb::cancel}) {
        for (const char* id : {"initial", "ours", "theirs"}) {
            jobs.request({.verb = verb, .request = {.id = id, .tables = {}}}, RequestedBy::message);
        }
    }
    EXPECT_TRUE(jobs.whole()) << "neither paused nor cancelled";
    ASSERT_NE(jobs.find("ours"), nullptr);
    EXPECT_FALSE(jobs.find("ours")->paused);
    EXPECT_EQ(jobs.find("theirs"), nullptr);
}

TEST_F(SnapshotJobsTest, MessagesRequestSoManyAtATime) {
    for (std::size_t i = 0; i < 2 * SnapshotJobs::kMessaged_max; ++i) {
        jobs.request(
            {.verb = Verb::start, .request = {.id = "m" + std::to_string(i), .tables = {"s.t"}}},
            RequestedBy::message);
    }
    EXPECT_EQ(jobs.all().size(), SnapshotJobs::kMessaged_max);
    const auto again = read_progress(write_progress(jobs.all()));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->front().messaged) << "also after a crash";
    start("ours", {"s.t"});
    EXPECT_NE(jobs.find("ours"), nullptr);
    jobs.request({.verb = Verb::start, .request = {.id = "initial", .tables = {"s.t"}}},
                 RequestedBy::message);
    EXPECT_EQ(jobs.find("initial"), nullptr);
}

TEST_F(SnapshotJobsTest, WhatIsStoredOfRequestsHasABoundWhoeverMadeThem) {
    for (std::size_t i = 0; i < 30; ++i) {
        jobs.request({.verb = Verb::start,
                      .request = {.id = "s" + std::to_string(i),
                                  .tables = {"s.t"},
                                  .where = std::string(SnapshotJobs::kWhereBytes_max, ',')}});
    }
    EXPECT_GE(jobs.all().size(), 4U);
    EXPECT_LE(write_progress(jobs.all()).size(), SnapshotJobs::kRequestedBytes_max);
    EXPECT_EQ(jobs.find("s29"), nullptr);
    EXPECT_EQ(reports.report().requests.back().state, State::failed);
    jobs.request(
        {.verb = Verb::start,
         .request = {.id = "new-1",
                     .tables = std::vector<std::string>(5'000, "s." + std::string(60, 't'))}},
        RequestedBy::ourselves);
    EXPECT_NE(jobs.find("new-1"), nullptr) << "nobody would order it again";
}

TEST_F(SnapshotJobsTest, ARequestThatComesTwiceIsOne) {
    start("a", {"s.t"});
    const auto revision = jobs.revision();
    start("a", {"s.u"});
    EXPECT_EQ(jobs.all().size(), 1U);
    EXPECT_EQ(jobs.revision(), revision);
    EXPECT_FALSE(jobs.whole());
}

TEST_F(SnapshotJobsTest, WhatNamesNoTableFails) {
    start("a", {});
    start("b", {"no dot"});
    EXPECT_TRUE(jobs.empty());
    EXPECT_EQ(state(0), State::failed);
    EXPECT_EQ(state(1), State::failed);
}

TEST_F(SnapshotJobsTest, OnePausesResumesAndIsCancelled) {
    start("a", {"s.t"});
    request(Verb::pause, "a");
    EXPECT_TRUE(jobs.all_paused());
    EXPECT_EQ(state(0), State::paused);
    request(Verb::resume, "a");
    EXPECT_FALSE(jobs.all_paused());
    const auto revision = jobs.revision();
    request(Verb::cancel, "a");
    EXPECT_TRUE(jobs.empty());
    EXPECT_GT(jobs.revision(), revision);
    EXPECT_EQ(state(0), State::cancelled);
    request(Verb::cancel, "a");  // is logged
}

TEST_F(SnapshotJobsTest, AMarkerEndsWhatAMarkerHasOrdered) {
    const auto order = [&](std::string id, std::optional<ReloadOrder> reload, RequestedBy by) {
        jobs.request(
            {.verb = Verb::start,
             .request = {.id = std::move(id), .tables = {"s.t"}, .reload = std::move(reload)}},
            by);
    };
    order("ours", ReloadOrder{.by = "request"}, RequestedBy::trusted);
    order("theirs", ReloadOrder{.by = "message"}, RequestedBy::message);
    order("plain", {}, RequestedBy::message);
    order("marked", ReloadOrder{.by = "EXPORT_START"}, RequestedBy::message);
    (void)jobs.take_reload_changes();
    const SnapshotCommand ends{
        .verb = Verb::cancel,
        .request = {.id = {}, .tables = {"s.t"}, .reload = ReloadOrder{.by = "EXPORT_START"}}};
    jobs.request(ends, RequestedBy::message);
    EXPECT_EQ(jobs.find("marked"), nullptr);
    EXPECT_EQ(jobs.all().size(), 3U);
    const auto changes = jobs.take_reload_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].step, ReloadChange::Step::over);
    EXPECT_EQ(changes[0].id, "marked");
    EXPECT_EQ(changes[0].why, "cancelled");
}

TEST_F(SnapshotJobsTest, WhichReloadsAreLeftIsToldWhenTheyAreRestored) {
    ASSERT_TRUE(
        jobs.restore("snapshot 1\nrequest a\ntable s.t\nreload request 0/10"
                     "\nrequest b\ntable s.u"));
    const auto changes = jobs.take_reload_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].step, ReloadChange::Step::restored);
    EXPECT_EQ(changes[0].left, std::vector<std::string>{"a"});
    EXPECT_FALSE(changes[0].half_read);
    ASSERT_TRUE(jobs.restore("snapshot 1\nrequest b\ntable s.u\nbegun"));
    EXPECT_TRUE(jobs.take_reload_changes()[0].half_read);
}

TEST_F(SnapshotJobsTest, AReloadWithAConditionFails) {
    jobs.request({.verb = Verb::start,
                  .request = {.id = "a",
                              .tables = {"s.t"},
                              .where = "true",
                              .reload = ReloadOrder{.by = "request"}}});
    EXPECT_TRUE(jobs.empty());
    EXPECT_EQ(state(0), State::failed);
}

TEST_F(SnapshotJobsTest, WithoutAnIdAllThatWereRequestedAreMeant) {
    ASSERT_TRUE(jobs.restore(kWholeSnapshot));
    start("a", {"s.t"});
    start("b", {"s.u", "s.v"});
    request(Verb::cancel, "", {"s.v"});
    EXPECT_EQ(jobs.find("b"), nullptr);
    EXPECT_NE(jobs.find("a"), nullptr);
    request(Verb::cancel, "");
    EXPECT_EQ(jobs.find("a"), nullptr);
    EXPECT_NE(jobs.find(kWholeSnapshotId), nullptr) << "nobody ordered that";
}

}  // namespace
}  // namespace pgc
