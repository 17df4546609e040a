// What the sink of files shows of itself in metrics.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "observe/metrics.h"
#include "sink/file_registry/registry.h"

namespace pgc {

// What is being written, as of a seal.
struct FilesInUse {
    std::uint64_t open = 0;
    std::uint64_t bytes = 0;  // on the disk
    std::uint64_t rows = 0;
    std::vector<std::pair<TableId, std::uint64_t>> rows_of{};  // tables that have any
    // Since the sink was made: what was compressed, and what it became.
    std::uint64_t plain_bytes = 0;
    std::uint64_t written_bytes = 0;
};

class FileMetrics {
public:
    explicit FileMetrics(Metrics& metrics);

    // A file is complete and registered.
    void completed(const CompleteFile& file);
    // Rows of ddl_history.
    void recorded_ddl(std::size_t rows);
    void sealed(const FilesInUse& now, Duration took);
    void mode(const TableId& table, TableMode mode);

private:
    Metrics& metrics_;
    Gauge& open_;
    Gauge& pending_bytes_;
    Gauge& pending_rows_;
    Gauge& ratio_;
    Histogram& seal_seconds_;
    std::set<TableId> shown_;  // whose pending rows are not 0
};

}  // namespace pgc
