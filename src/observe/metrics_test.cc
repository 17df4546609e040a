#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "observe/process.h"

namespace pgc {
namespace {

constexpr double kBounds[] = {1, 10, 100};

TEST(CatalogTest, NamesAreUniqueAndKeepToTheConvention) {
    std::set<std::string_view> names;
    for (const auto& spec : metrics_catalog()) {
        EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
        EXPECT_TRUE(spec.name.starts_with("cdc_") || spec.name.starts_with("process_"));
        EXPECT_EQ(spec.kind == MetricSpec::Kind::counter, spec.name.ends_with("_total"))
            << spec.name;
        EXPECT_TRUE(spec.help.ends_with('.')) << spec.name;
    }
}

TEST(CatalogTest, TimesReachFromAMillisecondToAMinute) {
    const auto bounds = spec_of(Metric::end_to_end_latency_seconds).bounds;
    EXPECT_EQ(bounds.front(), 0.001);
    EXPECT_EQ(bounds.back(), 60.0);
}

TEST(MetricsTest, GivesTheSameInstrumentForTheSameLabels) {
    Metrics metrics{"v"};
    auto& first = metrics.counter(Metric::errors_total, {"sink"});
    EXPECT_EQ(&first, &metrics.counter(Metric::errors_total, {"sink"}));
    EXPECT_NE(&first, &metrics.counter(Metric::errors_total, {"data"}));
}

TEST(MetricsTest, BoundsTheSeriesOfAMetric) {
    Metrics metrics{"v"};
    for (std::size_t i = 0; i < Metrics::kSeries_max; ++i) {
        metrics.counter(Metric::schema_changes_total, {std::to_string(i)});
    }
    auto& beyond = metrics.counter(Metric::schema_changes_total, {"one too many"});
    EXPECT_EQ(&beyond, &metrics.counter(Metric::schema_changes_total, {"another"}));
    EXPECT_EQ(&beyond, &metrics.counter(Metric::schema_changes_total, {"(other)"}));
    EXPECT_NE(&beyond, &metrics.counter(Metric::schema_changes_total, {"0"}));
}

TEST(MetricsTest, ThreadsCountTogetherWhileItIsRead) {
    Metrics metrics{"v"};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&metrics, t] {
                auto& mine = metrics.counter(Metric::changes_total, {std::to_string(t), "insert"});
                auto& all = metrics.counter(Metric::transactions_total);
                auto& rows = metrics.histogram(Metric::batch_row_count);
                for (int i = 0; i < 1000; ++i) {
                    mine.add();
                    all.add();
                    rows.observe(5.0);
                }
            });
        }
        EXPECT_FALSE(metrics.expose().empty());
    }
    EXPECT_EQ(metrics.counter(Metric::transactions_total).value(), 4000U);
    EXPECT_EQ(metrics.histogram(Metric::batch_row_count).counts().count(), 4000U);
    EXPECT_EQ(metrics.histogram(Metric::batch_row_count).counts().sum, 20000.0);
}

TEST(CounterTest, FollowsAnotherCountOnlyUpwards) {
    Counter counter;
    counter.raise_to(10);
    counter.raise_to(4);
    EXPECT_EQ(counter.value(), 10U);
}

TEST(HistogramTest, EstimatesQuantilesWithinABucket) {
    Histogram histogram{kBounds};
    histogram.observe(5.0, 100);
    EXPECT_DOUBLE_EQ(histogram.counts().quantile(0.5), 5.5);
    EXPECT_DOUBLE_EQ(histogram.counts().quantile(1), 10);
    histogram.observe(50.0, 100);
    EXPECT_DOUBLE_EQ(histogram.counts().quantile(0.75), 55);
}

TEST(HistogramTest, KnowsNoQuantileAboveItsHighestBound) {
    Histogram histogram{kBounds};
    EXPECT_EQ(histogram.counts().quantile(0.99), 0);
    histogram.observe(1e9);
    EXPECT_EQ(histogram.counts().quantile(0.99), 100);
}

TEST(HistogramTest, TellsWhatCameSinceAnEarlierMoment) {
    Histogram histogram{kBounds};
    histogram.observe(0.5, 1000);
    const auto before = histogram.counts();
    histogram.observe(50.0, 2);
    const auto since = histogram.counts().since(before);
    EXPECT_EQ(since.count(), 2U);
    EXPECT_DOUBLE_EQ(since.sum, 100);
    EXPECT_GT(since.quantile(0.01), 10);
    EXPECT_EQ(histogram.counts().since({}).count(), 1002U);
}

TEST(HistogramTest, IgnoresWhatIsNoNumber) {
    Histogram histogram{kBounds};
    histogram.observe(std::nan(""));
    EXPECT_EQ(histogram.counts().count(), 0U);
    EXPECT_EQ(histogram.counts().sum, 0);
}

TEST(ProcessTest, ReadsWhatTheSystemSays) {
    std::string memory(std::size_t{8} << 20, 'x');
    const auto use = read_process_use();
    EXPECT_GT(use.resident_bytes, memory.size());
    EXPECT_GE(use.open_fds, 3U);
    EXPECT_GT(use.start_time_unix_s, 1.6e9);
}

}  // namespace
}  // namespace pgc
