#include "sink/file/file_metrics.h"

#include <limits>

namespace pgc {
namespace {

std::string label_of(const TableId& table) {
    return table.schema + "." + table.name;
}

}  // namespace

FileMetrics::FileMetrics(Metrics& metrics)
    : metrics_(metrics),
      open_(metrics.gauge(Metric::files_open)),
      pending_bytes_(metrics.gauge(Metric::files_pending_bytes)),
      pending_rows_(metrics.gauge(Metric::files_pending_rows)),
      ratio_(metrics.gauge(Metric::compression_ratio)),
      seal_seconds_(metrics.histogram(Metric::file_seal_seconds)) {
    ratio_.set(std::numeric_limits<double>::quiet_NaN());
}

void FileMetrics::completed(const CompleteFile& file) {
    metrics_.counter(Metric::files_written_total, {kFileKinds.word(file.kind)}).add(1);
    metrics_.histogram(Metric::file_size_bytes).observe(static_cast<double>(file.bytes));
    metrics_.gauge(Metric::table_last_batch_timestamp, {label_of(file.table)})
        .set(static_cast<double>(file.closed_at.unix_us) / 1e6);
    // Until the seal's own say otherwise.
    metrics_.gauge(Metric::table_pending_changes, {label_of(file.table)}).set(0);
}

void FileMetrics::recorded_ddl(std::size_t rows) {
    metrics_.counter(Metric::ddl_statements_total).add(rows);
}

void FileMetrics::sealed(const FilesInUse& now, Duration took) {
    open_.set(static_cast<double>(now.open));
    pending_bytes_.set(static_cast<double>(now.bytes));
    pending_rows_.set(static_cast<double>(now.rows));
    if (now.written_bytes > 0) {
        ratio_.set(static_cast<double>(now.plain_bytes) / static_cast<double>(now.written_bytes));
    }
    seal_seconds_.observe(took);
    std::set<TableId> shown;
    for (const auto& [table, rows] : now.rows_of) {
        metrics_.gauge(Metric::table_pending_changes, {label_of(table)})
            .set(static_cast<double>(rows));
        shown.insert(table);
        shown_.erase(table);
    }
    for (const TableId& table : shown_) {
        metrics_.gauge(Metric::table_pending_changes, {label_of(table)}).set(0);
    }
    shown_ = std::move(shown);
}

void FileMetrics::mode(const TableId& table, TableMode mode) {
    metrics_.gauge(Metric::table_mode, {label_of(table)}).set(static_cast<double>(mode));
}

}  // namespace pgc
