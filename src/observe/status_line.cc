#include "observe/status_line.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "observe/process.h"

namespace pgc {
namespace {

Duration seconds(double value) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

double milliseconds(Duration time) {
    return std::round(std::chrono::duration<double, std::milli>(time).count() * 1000) / 1000;
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string text = fmt::format("{}", number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(text.begin() + at, ',');
    }
    return text;
}

std::string readable_bytes(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 999.6 would be shown as 1000.
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    const bool fraction = unit > 0 && value < 9.95;
    return fmt::format("{:.{}f} {}", value, fraction ? 1 : 0, units[unit]);
}

std::string readable_time(Duration time) {
    const double ms = std::chrono::duration<double, std::milli>(time).count();
    if (ms < 999.5) {
        return fmt::format("{:.0f} ms", ms);
    }
    if (ms < 9'950) {
        return fmt::format("{:.1f} s", ms / 1e3);
    }
    if (ms < 119'500) {
        return fmt::format("{:.0f} s", ms / 1e3);
    }
    return ms < 7'170'000 ? fmt::format("{:.0f} min", ms / 6e4)
                          : fmt::format("{:.0f} h", ms / 3.6e6);
}

std::string describe(const StatusReport& report) {
    const auto& progress = report.status.progress;
    std::string line = fmt::format(
        "{}  {} changes/s  lag {}  {} behind  confirmed {}  memory {}", name(report.status.state),
        grouped(static_cast<std::uint64_t>(std::llround(report.changes_per_second))),
        readable_time(progress.lag), readable_bytes(progress.behind_bytes()),
        to_string(progress.confirmed), readable_bytes(report.resident_bytes));
    if (report.latency) {
        fmt::format_to(std::back_inserter(line), "  latency p50 {} p99 {}",
                       readable_time(report.latency->p50), readable_time(report.latency->p99));
    }
    return line;
}

StatusLine::StatusLine(const Status& status, const Histogram* latency, Instant now)
    : status_(status),
      latency_(latency),
      last_(now),
      next_(now + kEvery),
      changes_before_(status.snapshot().progress.changes) {
    if (latency_ != nullptr) {
        latency_before_ = latency_->counts();
    }
}

StatusReport StatusLine::report(Instant now) {
    StatusReport report;
    report.status = status_.snapshot();
    report.resident_bytes = read_resident_bytes();

    const std::uint64_t changes = report.status.progress.changes;
    const double elapsed_s = std::chrono::duration<double>(now - last_).count();
    if (elapsed_s > 0 && changes > changes_before_) {
        report.changes_per_second = static_cast<double>(changes - changes_before_) / elapsed_s;
    }
    if (latency_ != nullptr) {
        HistogramCounts counts = latency_->counts();
        const HistogramCounts stretch = counts.since(latency_before_);
        if (stretch.count() > 0) {
            report.latency = {seconds(stretch.quantile(0.5)), seconds(stretch.quantile(0.99))};
        }
        latency_before_ = std::move(counts);
    }
    changes_before_ = changes;
    last_ = now;
    next_ = now + kEvery;
    return report;
}

void StatusLine::write(const Logger& logger, Instant now) {
    const StatusReport told = report(now);
    if (!logger.structured()) {
        logger.info(describe(told));
        return;
    }
    const auto& progress = told.status.progress;
    const Logger with_rates =
        logger.with({{"state", name(told.status.state)},
                     {"changes_per_second", std::round(told.changes_per_second * 10) / 10},
                     {"changes", progress.changes},
                     {"lag_ms", milliseconds(progress.lag)},
                     {"behind_bytes", progress.behind_bytes()},
                     {"received", progress.received},
                     {"confirmed", progress.confirmed},
                     {"buffer_bytes", progress.buffer_bytes},
                     {"memory_bytes", told.resident_bytes}});
    if (told.latency) {
        with_rates.info("status", {{"latency_p50_ms", milliseconds(told.latency->p50)},
                                   {"latency_p99_ms", milliseconds(told.latency->p99)}});
    } else {
        with_rates.info("status");
    }
}

}  // namespace pgc
