// Every metric there is, declared once: its name, its kind, what it means, its labels.
// The registry takes nothing else; pages and dashboards are checked against this table.
// Beside the labels that stand here every series bears `pipeline` (observe/metrics.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pgc {

enum class Metric : std::uint8_t {
    replication_lag_seconds,
    replication_lag_bytes,
    wal_position_bytes,
    slot_active,
    slot_retained_bytes,
    slot_safe_bytes,
    slot_wal_status,
    changes_total,
    transactions_total,
    sink_records_total,
    sink_bytes_total,
    sink_errors_total,
    end_to_end_latency_seconds,
    buffer_bytes,
    backpressure_seconds_total,
    checkpoints_total,
    batch_duration_seconds,
    batch_size_bytes,
    batch_row_count,
    batches_processed_total,
    snapshot_rows_total,
    snapshot_progress_ratio,
    schema_changes_total,
    spill_bytes,
    streamed_transactions,
    spill_fallbacks_total,
    prepared_transactions,
    prepared_transaction_age_seconds,
    errors_total,
    recovery_attempts_total,
    pipeline_state,
    pipeline_waiting,
    stream_state,
    failed_attempts,
    kafka_records_in_flight,
    kafka_waiting,
    kafka_delivery_failures_total,
    kafka_topics_created_total,
    kafka_dead_letters_total,
    files_written_total,
    file_size_bytes,
    table_last_batch_timestamp,
    ddl_statements_total,
    table_mode,
    table_pending_changes,
    files_open,
    files_pending_bytes,
    files_pending_rows,
    compression_ratio,
    file_seal_seconds,
    files_removed_total,
    files_removed_bytes_total,
    registry_requests_total,
    registry_schemas,
    registry_waiting,
    process_resident_memory_bytes,
    process_cpu_seconds_total,
    process_start_time_seconds,
    process_open_fds,
    build_info,
};

struct MetricSpec {
    enum class Kind : std::uint8_t { counter, gauge, histogram };
    // What the program counts in. Counters are whole numbers: those of seconds count
    // nanoseconds, and are divided when they are shown.
    enum class Unit : std::uint8_t { one, nanoseconds };

    Metric id{};
    Kind kind{};
    std::string_view name;
    std::string_view help;
    std::array<std::string_view, 2> labels{};  // unused ones are empty
    std::span<const double> bounds{};          // of a histogram: upper ones, rising
    Unit unit = Unit::one;

    constexpr std::size_t label_count() const noexcept {
        return labels[0].empty() ? 0 : labels[1].empty() ? 1 : 2;
    }
};

// In the order of Metric.
std::span<const MetricSpec> metrics_catalog() noexcept;
const MetricSpec& spec_of(Metric metric) noexcept;

}  // namespace pgc
