// The line that says every ten seconds how things go:
//
//   streaming  5,012 changes/s  lag 12 ms  0 B behind  confirmed 0/1634FA0  memory 21 MB
//
// and, with a latency histogram, "latency p50 3 ms p99 12 ms" of the last stretch. In JSON
// logs the same stands in fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "observe/instruments.h"
#include "observe/log.h"
#include "observe/status.h"

namespace pgc {

// What is told: a snapshot and what happened since the line before.
struct StatusReport {
    StatusSnapshot status;
    double changes_per_second = 0;
    std::uint64_t resident_bytes = 0;
    struct Latency {
        Duration p50{0};
        Duration p99{0};
    };
    std::optional<Latency> latency;  // none when nothing was confirmed
};

std::string describe(const StatusReport& report);

// "1,234,567"; "0 B", "4.2 kB", "21 MB" (powers of 1,000); "12 ms", "3.4 s", "2 min".
std::string grouped(std::uint64_t number);
std::string readable_bytes(std::uint64_t bytes);
std::string readable_time(Duration time);

// Owned by one thread, which asks due() in its loop (and puts next() among its wants).
class StatusLine {
public:
    static constexpr Duration kEvery = std::chrono::seconds{10};

    // Both outlive this; `latency` may be null.
    StatusLine(const Status& status, const Histogram* latency, Instant now);

    Instant next() const noexcept { return next_; }
    bool due(Instant now) const noexcept { return now >= next_; }

    // What happened since the last report, or since the beginning.
    StatusReport report(Instant now);
    // report(), written as one line of level info.
    void write(const Logger& logger, Instant now);

private:
    const Status& status_;
    const Histogram* latency_;
    Instant last_;
    Instant next_;
    std::uint64_t changes_before_;
    HistogramCounts latency_before_;
};

}  // namespace pgc
