#include "observe/instruments.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pgc {

std::uint64_t HistogramCounts::count() const noexcept {
    return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

HistogramCounts HistogramCounts::since(const HistogramCounts& earlier) const {
    HistogramCounts difference = *this;
    for (std::size_t i = 0; i < std::min(buckets.size(), earlier.buckets.size()); ++i) {
        difference.buckets[i] -= std::min(buckets[i], earlier.buckets[i]);
    }
    difference.sum -= earlier.sum;
    return difference;
}

double HistogramCounts::quantile(double q) const noexcept {
    const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count());
    double below = 0;
    for (std::size_t i = 0; i < bounds.size() && i < buckets.size(); ++i) {
        const auto inside = static_cast<double>(buckets[i]);
        if (inside > 0 && below + inside >= rank) {
            const double low = i == 0 ? 0 : bounds[i - 1];
            return low + (bounds[i] - low) * (rank - below) / inside;
        }
        below += inside;
    }
    return rank > 0 && !bounds.empty() ? bounds.back() : 0;
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds),
      buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {}

void Histogram::observe(double value, std::uint64_t times) noexcept {
    if (std::isnan(value)) {
        return;
    }
    // A bound belongs to the bucket below it.
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    buckets_[static_cast<std::size_t>(bucket)].fetch_add(times, std::memory_order_relaxed);
    sum_.fetch_add(value * static_cast<double>(times), std::memory_order_relaxed);
}

HistogramCounts Histogram::counts() const {
    HistogramCounts counts{bounds_, {}, sum_.load(std::memory_order_relaxed)};
    counts.buckets.reserve(bounds_.size() + 1);
    for (std::size_t i = 0; i <= bounds_.size(); ++i) {
        counts.buckets.push_back(buckets_[i].load(std::memory_order_relaxed));
    }
    return counts;
}

}  // namespace pgc
