#include "postgres/snapshot/reports.h"

#include <gtest/gtest.h>

#include "support/simulated_time.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using State = SnapshotReport::State;

class SnapshotReportsTest : public testing::Test {
protected:
    SimulatedClock clock;
    Metrics metrics{"test"};
    SnapshotReports reports{clock, metrics};

    SnapshotReport::Request only() const { return reports.report().requests.at(0); }
};

TEST_F(SnapshotReportsTest, ItGoesFromWaitingToDone) {
    reports.began("a");
    EXPECT_EQ(only().state, State::waiting);
    EXPECT_TRUE(reports.knows("a"));
    reports.tables("a", 2, 100);
    reports.rows_read("a", "s.t", 30);
    EXPECT_EQ(only().state, State::reading);
    EXPECT_EQ(only().tables, 2U);
    EXPECT_EQ(only().rows, 30U);
    EXPECT_EQ(only().rows_expected, 100U);
    reports.table_done("a", "s.t");
    EXPECT_EQ(only().tables_done, 1U);
    reports.ended("a", State::done, "");
    EXPECT_EQ(only().state, State::done);
    EXPECT_FALSE(reports.knows("a"));
}

TEST_F(SnapshotReportsTest, TheRateIsThatOfTheLastSecond) {
    reports.began("a");
    reports.rows_read("a", "s.t", 1);
    clock.advance(2s);
    reports.rows_read("a", "s.t", 999);
    EXPECT_EQ(only().rows_per_second, 500U);
}

TEST_F(SnapshotReportsTest, OfTheEndedOnesTheLastStay) {
    for (std::size_t i = 0; i < SnapshotReports::kEnded_max + 5; ++i) {
        reports.began(std::to_string(i));
        reports.ended(std::to_string(i), State::done, "");
    }
    EXPECT_EQ(reports.report().requests.size(), SnapshotReports::kEnded_max);
    EXPECT_EQ(only().id, "5");
}

TEST_F(SnapshotReportsTest, WhoeverIsOverNoLongerWaits) {
    reports.began("a");
    reports.ended("a", State::cancelled, "");
    reports.waits("a", State::reading, "");
    EXPECT_EQ(only().state, State::cancelled);
}

TEST_F(SnapshotReportsTest, RowsAreCountedByTable) {
    reports.began("a");
    reports.rows_read("a", "s.t", 3);
    reports.rows_read("a", "s.u", 4);
    reports.rows_read("a", "s.t", 5);
    EXPECT_EQ(metrics.counter(Metric::snapshot_rows_total, {"s.t"}).value(), 8U);
}

}  // namespace
}  // namespace pgc
