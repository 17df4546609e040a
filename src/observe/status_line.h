// The line that says every ten seconds how things go:
//
//   streaming  5,012 changes/s  lag 12 ms  0 B behind  confirmed 0/1634FA0  memory 21 MB
//
// and "latency p50 3 ms p99 12 ms" where something was confirmed lately, and "snapshot" with
// how far it is while one is under way. In JSON logs the same stands in fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "observe/log.h"
#include "observe/status.h"

namespace pgc {

std::string describe(const StatusSnapshot& status, std::uint64_t resident_bytes);

// "12 ms, 48 B of log", with what is to stand between and after; or "unknown".
std::string lag_text(const PipelineProgress& progress, std::string_view between,
                     std::string_view behind);

// "12 of 20 tables, 1,234,567 of about 2,000,000 rows (61 %), 250,000 rows/s, about 4 s left"
std::string describe(const SnapshotBrief& snapshot);
// How much of what is expected: whole percents, 100 for all of it only; none of nothing.
std::optional<unsigned> percent_of(std::uint64_t part, std::uint64_t whole) noexcept;
// "about 4 s left"; empty where that is not known.
std::string time_left(std::uint64_t rows, std::uint64_t rows_expected,
                      std::uint64_t rows_per_second);

// "1,234,567"; "0 B", "4.2 kB", "21 MB" (powers of 1,000); "12 ms", "3.4 s", "2 min".
std::string grouped(std::uint64_t number);
std::string readable_bytes(std::uint64_t bytes);
std::string readable_time(Duration time);

// Owned by one thread, which asks due() in its loop (and puts next() among its wants).
class StatusLine {
public:
    static constexpr Duration kEvery = Status::kLately;

    // The status outlives this.
    StatusLine(const Status& status, Instant now) : status_(status), next_(now + kEvery) {}

    Instant next() const noexcept { return next_; }
    bool due(Instant now) const noexcept { return now >= next_; }

    // One line of level info; the next is due kEvery later.
    void write(const Logger& logger, Instant now);

private:
    const Status& status_;
    Instant next_;
};

}  // namespace pgc
