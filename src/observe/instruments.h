// Counter, gauge, histogram: plain atomics that any thread may change or read. They say
// nothing about order between each other, only about themselves.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"

namespace pgc {

// Only rises.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    // For counters of seconds, which count nanoseconds.
    void add(Duration time) noexcept {
        if (time > Duration{0}) {
            add(static_cast<std::uint64_t>(time.count()));
        }
    }
    // Follows a count that somebody else keeps; a lower one is ignored.
    void raise_to(std::uint64_t count) noexcept {
        std::uint64_t seen = value();
        while (seen < count &&
               !value_.compare_exchange_weak(seen, count, std::memory_order_relaxed)) {
        }
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
    double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// What a histogram held at one moment, or, as a difference of two, in a stretch of time.
struct HistogramCounts {
    std::span<const double> bounds;      // upper, rising; the last bucket has none
    std::vector<std::uint64_t> buckets;  // one more than bounds; not cumulative
    double sum = 0;

    std::uint64_t count() const noexcept;
    // What came since `earlier`, which is of the same histogram.
    HistogramCounts since(const HistogramCounts& earlier) const;
    // The value below which the share q of all lies (q in [0, 1]), estimated as evenly
    // spread within its bucket; the highest bound for what lies above it; 0 of nothing.
    double quantile(double q) const noexcept;
};

class Histogram {
public:
    explicit Histogram(std::span<const double> bounds);

    // Adds `times` observations of `value`; NaN is not one.
    void observe(double value, std::uint64_t times = 1) noexcept;
    void observe(Duration time, std::uint64_t times = 1) noexcept {
        observe(std::chrono::duration<double>(time).count(), times);
    }
    HistogramCounts counts() const;

private:
    const std::span<const double> bounds_;
    const std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
    std::atomic<double> sum_{0};
};

}  // namespace pgc
