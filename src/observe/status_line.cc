#include "observe/status_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "observe/process.h"

namespace pgc {
namespace {

double in_ms(Duration time) {
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

std::optional<unsigned> percent_of(std::uint64_t part, std::uint64_t whole) noexcept {
    if (whole == 0) return std::nullopt;
    if (part >= whole) return 100;
    const double share = static_cast<double>(part) / static_cast<double>(whole);
    return std::min(static_cast<unsigned>(share * 100), 99U);
}

std::string time_left(std::uint64_t rows, std::uint64_t rows_expected,
                      std::uint64_t rows_per_second) {
    if (rows_per_second == 0 || rows >= rows_expected) return {};
    constexpr double kMost_s = 1e9;
    const double seconds =
        std::ceil(static_cast<double>(rows_expected - rows) / static_cast<double>(rows_per_second));
    if (seconds >= kMost_s) return {};
    if (seconds < 10) return fmt::format("about {:.0f} s left", seconds);
    const std::chrono::seconds left{static_cast<std::int64_t>(seconds)};
    return fmt::format("about {} left", readable_time(left));
}

std::string lag_text(const PipelineProgress& progress, std::string_view between,
                     std::string_view behind) {
    if (!progress.lag) return "unknown";
    return fmt::format("{}{}{}{}", readable_time(*progress.lag), between,
                       readable_bytes(*progress.behind_bytes()), behind);
}

std::string describe(const SnapshotBrief& snapshot) {
    std::string text;
    if (snapshot.tables > 0) {
        text = fmt::format("{} of {} tables, ", grouped(snapshot.tables_done),
                           grouped(snapshot.tables));
    }
    text += grouped(snapshot.rows);
    if (snapshot.rows_expected > 0) text += " of about " + grouped(snapshot.rows_expected);
    text += " rows";
    if (const auto percent = percent_of(snapshot.rows, snapshot.rows_expected)) {
        text += fmt::format(" ({} %)", *percent);
    }
    text += fmt::format(", {} rows/s", grouped(snapshot.rows_per_second));
    const auto left = time_left(snapshot.rows, snapshot.rows_expected, snapshot.rows_per_second);
    return left.empty() ? text : text + ", " + left;
}

std::string describe(const StatusSnapshot& status, std::uint64_t resident_bytes) {
    const auto& progress = status.progress;
    std::string line =
        fmt::format("{}  {} changes/s  lag {}  confirmed {}  memory {}", name(status.state),
                    grouped(static_cast<std::uint64_t>(std::llround(status.changes_per_second))),
                    lag_text(progress, "  ", " behind"), to_string(progress.confirmed),
                    readable_bytes(resident_bytes));
    if (status.latency) {
        fmt::format_to(std::back_inserter(line), "  latency p50 {} p99 {}",
                       readable_time(status.latency->p50), readable_time(status.latency->p99));
    }
    if (progress.snapshot) line += "  snapshot " + describe(*progress.snapshot);
    if (!status.waits_for.empty()) line += "  waiting for " + status.waits_for;
    if (status.attempts > 0) line += fmt::format("  failed attempts {}", grouped(status.attempts));
    return line;
}

void StatusLine::write(const Logger& logger, Instant now) {
    next_ = now + kEvery;
    const StatusSnapshot status = status_.snapshot();
    const std::uint64_t resident_bytes = read_resident_bytes();
    if (!logger.structured()) {
        logger.info(describe(status, resident_bytes));
        return;
    }
    const auto& progress = status.progress;
    Logger with_rates =
        logger.with({{"state", name(status.state)},
                     {"changes_per_second", std::round(status.changes_per_second * 10) / 10},
                     {"changes", progress.changes},
                     {"received", progress.received},
                     {"confirmed", progress.confirmed},
                     {"buffer_bytes", progress.buffer_bytes},
                     {"failed_attempts", status.attempts},
                     {"memory_bytes", resident_bytes}});
    if (progress.lag) {
        with_rates = with_rates.with(
            {{"lag_ms", in_ms(*progress.lag)}, {"behind_bytes", *progress.behind_bytes()}});
    }
    if (progress.snapshot) {
        const SnapshotBrief& snapshot = *progress.snapshot;
        with_rates = with_rates.with({{"snapshot_tables", snapshot.tables},
                                      {"snapshot_tables_done", snapshot.tables_done},
                                      {"snapshot_rows", snapshot.rows},
                                      {"snapshot_rows_expected", snapshot.rows_expected},
                                      {"snapshot_rows_per_second", snapshot.rows_per_second}});
    }
    if (!status.waits_for.empty()) with_rates = with_rates.with({{"waits_for", status.waits_for}});
    if (status.latency) {
        with_rates.info("status", {{"latency_p50_ms", in_ms(status.latency->p50)},
                                   {"latency_p99_ms", in_ms(status.latency->p99)}});
    } else {
        with_rates.info("status");
    }
}

}  // namespace pgc
