#include "pipeline/pipeline_metrics.h"

#include <algorithm>
#include <string>

namespace pgc {

PipelineMetrics::PipelineMetrics(Metrics& metrics, const Clock& clock)
    : metrics_(metrics),
      clock_(clock),
      transactions_(metrics.counter(Metric::transactions_total)),
      records_(metrics.counter(Metric::sink_records_total)),
      bytes_(metrics.counter(Metric::sink_bytes_total)),
      batches_(metrics.counter(Metric::batches_processed_total)),
      backpressure_(metrics.counter(Metric::backpressure_seconds_total)),
      checkpoints_(metrics.counter(Metric::checkpoints_total)),
      recovery_attempts_(metrics.counter(Metric::recovery_attempts_total)),
      slot_active_(metrics.gauge(Metric::slot_active)),
      latency_(metrics.histogram(Metric::end_to_end_latency_seconds)),
      batch_time_(metrics.histogram(Metric::batch_duration_seconds)),
      batch_bytes_(metrics.histogram(Metric::batch_size_bytes)),
      batch_rows_(metrics.histogram(Metric::batch_row_count)) {}

void PipelineMetrics::batch_read(const Batch& batch) {
    // Neighbours are mostly of one table and kind: count a run, then look up once.
    std::size_t i = 0;
    while (i < batch.changes.size()) {
        const Change& first = batch.changes[i];
        const std::size_t began = i;
        while (i < batch.changes.size() && batch.changes[i].relation == first.relation &&
               batch.changes[i].operation == first.operation &&
               batch.changes[i].part == first.part) {
            ++i;
        }
        // An update with another key counts as what it was.
        if (first.part == Change::Part::new_key) continue;
        changes_of(first).add(i - began);
        changes_ += i - began;
    }
    const auto ended = std::ranges::count(batch.transactions, true, &Transaction::ends);
    transactions_.add(static_cast<std::uint64_t>(ended));
}

Counter& PipelineMetrics::changes_of(const Change& change) {
    const bool split = change.part != Change::Part::whole;
    const Operation operation = split ? Operation::update : change.operation;
    if (change.relation == nullptr) {
        return metrics_.counter(Metric::changes_total, {"", name(operation)});
    }
    auto* counters = counters_.find(*change.relation);
    if (counters == nullptr) counters = counters_.keep(*change.relation, {});
    Counter*& counter = (*counters)[static_cast<std::size_t>(operation)];
    if (counter == nullptr) {
        counter = &metrics_.counter(Metric::changes_total,
                                    {qualified_name(*change.relation), name(operation)});
    }
    return *counter;
}

void PipelineMetrics::batch_durable(const InFlightBatch& batch) {
    records_.add(batch.records);
    bytes_.add(batch.bytes);
    batches_.add();
    batch_time_.observe(clock_.now() - batch.read_at);
    batch_bytes_.observe(static_cast<double>(batch.bytes));
    batch_rows_.observe(static_cast<double>(batch.records));
    if (batch.lane != kStreamLane) return;  // its rows were committed whenever
    const auto since =
        std::chrono::microseconds{clock_.wall().unix_us - batch.newest_commit.unix_us};
    latency_.observe(std::max(Duration{since}, Duration{0}), batch.records);
}

void PipelineMetrics::failed(const Error& error) {
    metrics_.counter(Metric::errors_total, {name(error.category)}).add();
    if (error.category == Error::Category::sink) {
        metrics_.counter(Metric::sink_errors_total).add();
    }
}

}  // namespace pgc
