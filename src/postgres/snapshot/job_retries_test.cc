#include "postgres/snapshot/job_retries.h"

#include <gtest/gtest.h>

#include "support/simulated_time.h"

namespace pgc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(Duration time) {
    return Instant{} + std::chrono::hours{1} + time;
}

TEST(JobRetriesTest, WhatMayPassIsTriedSoonAndThenMoreSeldom) {
    JobRetries retries;
    EXPECT_EQ(retries.due("a"), Instant{});
    Instant now = at(seconds{0});
    for (const int pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
        ASSERT_TRUE(retries.put_off("a", true, now));
        EXPECT_EQ(retries.due("a") - now, seconds{pause});
        now = retries.due("a");
    }
}

TEST(JobRetriesTest, WhatSomebodyHasToFixIsTriedLater) {
    JobRetries retries;
    ASSERT_TRUE(retries.put_off("a", false, at(seconds{0})));
    EXPECT_EQ(retries.due("a"), at(seconds{60}));
    ASSERT_TRUE(retries.put_off("a", false, at(seconds{60})));
    EXPECT_EQ(retries.due("a"), at(seconds{180}));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(retries.put_off("a", false, retries.due("a")));
    const Instant now = retries.due("a");
    ASSERT_TRUE(retries.put_off("a", false, now));
    EXPECT_EQ(retries.due("a") - now, std::chrono::hours{1});
}

TEST(JobRetriesTest, ASecondTableOfTheJobChangesNothing) {
    JobRetries retries;
    ASSERT_TRUE(retries.put_off("a", true, at(seconds{0})));
    EXPECT_FALSE(retries.put_off("a", true, at(milliseconds{500})));
    EXPECT_EQ(retries.due("a"), at(seconds{1}));
}

TEST(JobRetriesTest, TheFirstJobThatIsNotPausedCounts) {
    SimulatedClock clock;
    Metrics metrics{"test"};
    SnapshotReports reports{clock, metrics};
    SnapshotJobs jobs{reports, Logger{}};
    JobRetries retries;
    EXPECT_EQ(retries.due(jobs), kNever);
    const auto request = [&](SnapshotCommand::Verb verb, std::string id) {
        jobs.request({.verb = verb, .request = {.id = std::move(id), .tables = {"s.t"}}});
    };
    request(SnapshotCommand::Verb::start, "a");
    request(SnapshotCommand::Verb::start, "b");
    ASSERT_TRUE(retries.put_off("a", true, at(seconds{0})));
    ASSERT_TRUE(retries.put_off("b", false, at(seconds{0})));
    EXPECT_EQ(retries.due(jobs), at(seconds{1}));
    request(SnapshotCommand::Verb::pause, "a");
    EXPECT_EQ(retries.due(jobs), at(seconds{60}));
    request(SnapshotCommand::Verb::cancel, "b");
    retries.forget_ended(jobs);
    EXPECT_EQ(retries.due("b"), Instant{});
}

}  // namespace
}  // namespace pgc
