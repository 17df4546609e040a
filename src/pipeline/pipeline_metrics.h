// What the engine counts, per batch and never per row: one function a happening.
//
// Threads: one, the pipeline's; the metrics it counts in may be read by any.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "core/by_slot.h"
#include "core/change.h"
#include "observe/metrics.h"
#include "pipeline/ledger.h"

namespace pgc {

class PipelineMetrics {
public:
    // Both outlive this.
    PipelineMetrics(Metrics& metrics, const Clock& clock);

    // A new source gives its own serials to relations.
    void source_made() { counters_.clear(); }
    void streaming(bool yes) { slot_active_.set(yes ? 1 : 0); }
    void batch_read(const Batch& batch);
    void batch_durable(const InFlightBatch& batch);
    void paused(Duration time) { backpressure_.add(time); }
    void position_stored() { checkpoints_.add(); }
    void failed(const Error& error);
    void retrying() { recovery_attempts_.add(); }

    std::uint64_t changes() const noexcept { return changes_; }

private:
    Counter& changes_of(const Change& change);

    Metrics& metrics_;
    const Clock& clock_;
    Counter& transactions_;
    Counter& records_;
    Counter& bytes_;
    Counter& batches_;
    Counter& backpressure_;
    Counter& checkpoints_;
    Counter& recovery_attempts_;
    Gauge& slot_active_;
    Histogram& latency_;
    Histogram& batch_time_;
    Histogram& batch_bytes_;
    Histogram& batch_rows_;
    BySlot<std::array<Counter*, kOperations>> counters_;  // null: there was none of these
    std::uint64_t changes_ = 0;
};

}  // namespace pgc
