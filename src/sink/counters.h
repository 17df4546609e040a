// What every sink counts: cdc_sink_records_total, cdc_sink_bytes_total when records are
// durable, cdc_sink_errors_total.
#pragma once

#include <cstdint>

#include "core/record.h"
#include "observe/metrics.h"

namespace pgc {

class SinkCounters {
public:
    explicit SinkCounters(Metrics& metrics)
        : records_(metrics.counter(Metric::sink_records_total)),
          bytes_(metrics.counter(Metric::sink_bytes_total)),
          errors_(metrics.counter(Metric::sink_errors_total)) {}

    void durable(const RecordBatch& batch) noexcept {
        std::uint64_t bytes = 0;
        for (const Record& record : batch.records) {
            bytes += record.key.size() + record.value.size();
        }
        records_.add(batch.records.size());
        bytes_.add(bytes);
    }
    void error() noexcept { errors_.add(); }

private:
    Counter& records_;
    Counter& bytes_;
    Counter& errors_;
};

}  // namespace pgc
