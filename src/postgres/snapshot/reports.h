// The progress of the snapshots, for people: SnapshotReport's requests, and the metrics.
//
// Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/snapshot.h"
#include "observe/metrics.h"

namespace pgc {

class SnapshotReports {
public:
    static constexpr std::size_t kEnded_max = 20;

    // Both outlive this.
    SnapshotReports(const Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}

    void began(const std::string& id);
    void ended(const std::string& id, SnapshotReport::State state, std::string reason);
    void waits(const std::string& id, SnapshotReport::State state, std::string reason);
    void tables(const std::string& id, std::uint64_t tables, std::uint64_t rows_expected);
    void rows_read(const std::string& id, const std::string& table, std::uint64_t rows);
    void table_read(const std::string& table, double ratio);
    void table_done(const std::string& id, const std::string& table);
    bool knows(std::string_view id) const;

    // Without the open tables, which the caller adds.
    SnapshotReport report() const { return report_; }

private:
    struct Rate {
        Instant since;
        std::uint64_t rows = 0;
    };
    SnapshotReport::Request* find(std::string_view id);

    const Clock& clock_;
    Metrics& metrics_;
    SnapshotReport report_;
    std::string rate_of_;
    Rate rate_;
    std::string counted_table_;
    Counter* counter_ = nullptr;
};

}  // namespace pgc
