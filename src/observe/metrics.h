// The registry of metrics: an object handed down, no global.
//
// Whoever counts asks once for its instrument (per process, per relation, per batch at
// the most) and keeps the reference: asking takes a lock, counting an atomic addition.
// References live as long as the registry. Which metrics there are: metrics_catalog.h.
//
// Label values come from outside (table names) and are bounded: beyond kSeries_max of one
// metric, all further ones share the series whose labels are all "(other)".
//
// Every series bears the label `pipeline` besides its own: many instances, one dashboard. Each
// pipeline of a process has a registry, and they are shown as one.
//
// Counters without labels are there from the start, at 0; everything else appears when
// it is first asked for. Threads: any.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "observe/instruments.h"
#include "observe/metrics_catalog.h"

namespace pgc {

struct ProcessUse;

class Metrics {
public:
    static constexpr std::size_t kSeries_max = 10'000;

    // Without a `pipeline` there is no such label.
    explicit Metrics(std::string_view version, std::string_view pipeline = {});
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // Require: the metric is of this kind and has this many labels.
    using Labels = std::initializer_list<std::string_view>;
    Counter& counter(Metric metric, Labels labels = {});
    Gauge& gauge(Metric metric, Labels labels = {});
    Histogram& histogram(Metric metric, Labels labels = {});

    // Brings the process_* metrics up to date, then writes everything in Prometheus'
    // text format 0.0.4, the metrics in the catalog's order, the series sorted.
    std::string expose();
    // The same of several, each with a pipeline of its own: a metric is named once, with the series
    // of all of them below it. What is known of the process stands there for each.
    static std::string expose(std::span<Metrics* const> all);

    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

private:
    using LabelValues = std::array<std::string, 2>;
    using Instrument =
        std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
    using Family = std::map<LabelValues, Instrument>;

    template <typename T>
    T& find(Metric metric, MetricSpec::Kind kind, Labels labels);
    void refresh_process(const ProcessUse& use);
    void append_series(std::string& out, const MetricSpec& spec);

    const std::string always_;  // as exposition.h wants it
    std::mutex mutex_;
    // Protected by mutex_; the instruments never move.
    std::vector<Family> families_;  // by Metric
};

}  // namespace pgc
