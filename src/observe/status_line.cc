#include "observe/status_line.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

#include "observe/process.h"

namespace pgc {
namespace {

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

std::string describe(const StatusSnapshot& status, std::uint64_t resident_bytes) {
    const auto& progress = status.progress;
    std::string line = fmt::format(
        "{}  {} changes/s  lag {}  {} behind  confirmed {}  memory {}", name(status.state),
        grouped(static_cast<std::uint64_t>(std::llround(status.changes_per_second))),
        readable_time(progress.lag), readable_bytes(progress.behind_bytes()),
        to_string(progress.confirmed), readable_bytes(resident_bytes));
    if (status.latency) {
        fmt::format_to(std::back_inserter(line), "  latency p50 {} p99 {}",
                       readable_time(status.latency->p50), readable_time(status.latency->p99));
    }
    if (!status.waits_for.empty()) line += "  waiting for " + status.waits_for;
    return line;
}

void StatusLine::write(const Logger& logger, Instant now) {
    next_ = now + kEvery;
    const StatusSnapshot told = status_.snapshot();
    const std::uint64_t resident_bytes = read_resident_bytes();
    if (!logger.structured()) {
        logger.info(describe(told, resident_bytes));
        return;
    }
    const auto& progress = told.progress;
    Logger with_rates =
        logger.with({{"state", name(told.state)},
                     {"changes_per_second", std::round(told.changes_per_second * 10) / 10},
                     {"changes", progress.changes},
                     {"lag_ms", milliseconds(progress.lag)},
                     {"behind_bytes", progress.behind_bytes()},
                     {"received", progress.received},
                     {"confirmed", progress.confirmed},
                     {"buffer_bytes", progress.buffer_bytes},
                     {"memory_bytes", resident_bytes}});
    if (!told.waits_for.empty()) with_rates = with_rates.with({{"waits_for", told.waits_for}});
    if (told.latency) {
        with_rates.info("status", {{"latency_p50_ms", milliseconds(told.latency->p50)},
                                   {"latency_p99_ms", milliseconds(told.latency->p99)}});
    } else {
        with_rates.info("status");
    }
}

}  // namespace pgc
