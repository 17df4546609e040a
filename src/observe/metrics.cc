#include "observe/metrics.h"

#include <algorithm>
#include <cassert>

#include "observe/exposition.h"
#include "observe/process.h"

namespace pgc {
namespace {

using Kind = MetricSpec::Kind;

}  // namespace

Metrics::Metrics(std::string_view version, std::string_view pipeline)
    : always_(pipeline.empty() ? std::string{} : label_text("pipeline", pipeline)),
      families_(metrics_catalog().size()) {
    for (const MetricSpec& spec : metrics_catalog()) {
        if (spec.kind == Kind::counter && spec.label_count() == 0) {
            counter(spec.id);
        }
    }
    gauge(Metric::build_info, {version}).set(1);
}

template <typename T>
T& Metrics::find(Metric metric, [[maybe_unused]] Kind kind, Labels labels) {
    const MetricSpec& spec = spec_of(metric);
    assert(spec.kind == kind && spec.label_count() == labels.size());
    LabelValues values;
    std::ranges::copy(labels, values.begin());

    const std::lock_guard lock(mutex_);
    Family& family = families_[static_cast<std::size_t>(metric)];
    auto found = family.find(values);
    if (found == family.end()) {
        if (family.size() >= kSeries_max) {
            std::fill_n(values.begin(), labels.size(), "(other)");
        }
        std::unique_ptr<T> fresh;
        if constexpr (std::is_same_v<T, Histogram>) {
            fresh = std::make_unique<T>(spec.bounds);
        } else {
            fresh = std::make_unique<T>();
        }
        found = family.try_emplace(std::move(values), std::move(fresh)).first;
    }
    return *std::get<std::unique_ptr<T>>(found->second);
}

Counter& Metrics::counter(Metric metric, Labels labels) {
    return find<Counter>(metric, Kind::counter, labels);
}

Gauge& Metrics::gauge(Metric metric, Labels labels) {
    return find<Gauge>(metric, Kind::gauge, labels);
}

Histogram& Metrics::histogram(Metric metric, Labels labels) {
    return find<Histogram>(metric, Kind::histogram, labels);
}

void Metrics::refresh_process(const ProcessUse& use) {
    gauge(Metric::process_resident_memory_bytes).set(static_cast<double>(use.resident_bytes));
    gauge(Metric::process_start_time_seconds).set(use.start_time_unix_s);
    gauge(Metric::process_open_fds).set(static_cast<double>(use.open_fds));
    counter(Metric::process_cpu_seconds_total)
        .raise_to(static_cast<std::uint64_t>(use.cpu_time.count()));
}

void Metrics::append_series(std::string& out, const MetricSpec& spec) {
    const std::lock_guard lock(mutex_);
    for (const auto& [labels, instrument] : families_[static_cast<std::size_t>(spec.id)]) {
        std::visit([&](const auto& one) { expose_series(out, spec, labels, *one, always_); },
                   instrument);
    }
}

std::string Metrics::expose() {
    Metrics* const self = this;
    return expose({&self, 1});
}

std::string Metrics::expose(std::span<Metrics* const> all) {
    const ProcessUse use = read_process_use();
    for (Metrics* one : all) one->refresh_process(use);
    std::string out;
    std::string series;
    for (const MetricSpec& spec : metrics_catalog()) {
        series.clear();
        for (Metrics* one : all) one->append_series(series, spec);
        if (series.empty()) continue;
        expose_head(out, spec);
        out += series;
    }
    return out;
}

}  // namespace pgc
