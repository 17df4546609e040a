#include "postgres/snapshot/reports.h"

#include <algorithm>
#include <utility>

namespace pgc {

using State = SnapshotReport::State;

SnapshotReport::Request* SnapshotReports::find(std::string_view id) {
    // The newest of a name that was used twice.
    const auto at = std::find_if(report_.requests.rbegin(), report_.requests.rend(),
                                 [&](const auto& request) { return request.id == id; });
    return at == report_.requests.rend() ? nullptr : &*at;
}

bool SnapshotReports::knows(std::string_view id) const {
    return std::ranges::any_of(report_.requests, [&](const auto& request) {
        return request.id == id && !is_over(request.state);
    });
}

void SnapshotReports::began(const std::string& id) {
    report_.requests.push_back({.id = id, .began = clock_.wall()});
}

void SnapshotReports::ended(const std::string& id, State state, std::string reason) {
    if (auto* request = find(id); request != nullptr) {
        request->state = state;
        request->reason = std::move(reason);
        request->ended = clock_.wall();
        request->rows_per_second = 0;
    }
    const auto over =
        std::ranges::count_if(report_.requests, [](const auto& one) { return is_over(one.state); });
    if (static_cast<std::size_t>(over) <= kEnded_max) return;
    report_.requests.erase(
        std::ranges::find_if(report_.requests, [](const auto& one) { return is_over(one.state); }));
}

void SnapshotReports::waits(const std::string& id, State state, std::string reason) {
    auto* request = find(id);
    if (request == nullptr || is_over(request->state)) return;
    request->state = state;
    request->reason = std::move(reason);
}

void SnapshotReports::tables(const std::string& id, std::uint64_t tables,
                             std::uint64_t rows_expected) {
    auto* request = find(id);
    if (request == nullptr) return;
    request->tables = std::max(request->tables, request->tables_done + tables);
    request->rows_expected = std::max(request->rows_expected, request->rows + rows_expected);
}

void SnapshotReports::rows_read(const std::string& id, const std::string& table,
                                std::uint64_t rows) {
    if (counter_ == nullptr || counted_table_ != table) {
        counted_table_ = table;
        counter_ = &metrics_.counter(Metric::snapshot_rows_total, {table});
    }
    counter_->add(rows);
    auto* request = find(id);
    if (request == nullptr) return;
    request->rows += rows;
    request->rows_expected = std::max(request->rows_expected, request->rows);
    // A chunk of one that was paused or cancelled is read to its end.
    if (request->state == State::waiting) request->state = State::reading;
    if (request->state == State::reading) request->reason.clear();
    const Instant now = clock_.now();
    if (rate_of_ != id) {
        rate_of_ = id;
        rate_ = {.since = now, .rows = 0};
    }
    rate_.rows += rows;
    if (const Duration passed = now - rate_.since; passed >= std::chrono::seconds{1}) {
        const double seconds = std::chrono::duration<double>(passed).count();
        request->rows_per_second =
            static_cast<std::uint64_t>(static_cast<double>(rate_.rows) / seconds);
        rate_ = {.since = now, .rows = 0};
    }
}

void SnapshotReports::table_read(const std::string& table, double ratio) {
    metrics_.gauge(Metric::snapshot_progress_ratio, {table}).set(ratio);
}

void SnapshotReports::table_done(const std::string& id, const std::string& table) {
    table_read(table, 1);
    if (auto* request = find(id); request != nullptr) ++request->tables_done;
}

}  // namespace pgc
