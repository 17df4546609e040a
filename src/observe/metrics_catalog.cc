#include "observe/metrics_catalog.h"

#include <algorithm>

namespace pgc {
namespace {

using enum MetricSpec::Kind;
using Unit = MetricSpec::Unit;

// 1 ms to 60 s, about three to a decade where the goals lie.
constexpr std::array kSeconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                              0.5,   1.0,   2.0,   5.0,  10.0, 30.0, 60.0};
// 256 B to 16 MiB by fours.
constexpr std::array kBytes{256.0,    1024.0,    4096.0,    16384.0,   65536.0,
                            262144.0, 1048576.0, 4194304.0, 16777216.0};
// 1 KiB to 1 GiB by fours.
constexpr std::array kFileBytes{1024.0,     4096.0,      16384.0,     65536.0,
                                262144.0,   1048576.0,   4194304.0,   16777216.0,
                                67108864.0, 268435456.0, 1073741824.0};
constexpr std::array kRows{1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10000.0, 50000.0};

constexpr std::array kCatalog{
    MetricSpec{.id = Metric::replication_lag_seconds,
               .kind = gauge,
               .name = "cdc_replication_lag_seconds",
               .help = "How long ago the newest change committed that was taken from the server "
                       "and is not durable yet; 0 when there is none, NaN (unknown) while "
                       "nothing is read from the server."},
    MetricSpec{
        .id = Metric::replication_lag_bytes,
        .kind = gauge,
        .name = "cdc_replication_lag_bytes",
        .help =
            "Bytes of write-ahead log between the end of the server's WAL, as it last reported, "
            "and what is durable and stored; NaN (unknown) while nothing is read from the server."},
    MetricSpec{.id = Metric::wal_position_bytes,
               .kind = gauge,
               .name = "cdc_wal_position_bytes",
               .help = "The position in the write-ahead log up to which everything is durable and "
                       "stored, as a number of bytes; NaN until it is known."},
    MetricSpec{.id = Metric::slot_active,
               .kind = gauge,
               .name = "cdc_slot_active",
               .help = "1 while we stream from the replication slot, else 0."},
    MetricSpec{.id = Metric::slot_retained_bytes,
               .kind = gauge,
               .name = "cdc_slot_retained_bytes",
               .help = "Bytes of write-ahead log that the server keeps because of the slot."},
    MetricSpec{.id = Metric::slot_safe_bytes,
               .kind = gauge,
               .name = "cdc_slot_safe_bytes",
               .help = "Bytes of write-ahead log that may still be written before the slot can be "
                       "lost (max_slot_wal_keep_size); NaN where nothing limits it, and before "
                       "PostgreSQL 13."},
    MetricSpec{.id = Metric::slot_wal_status,
               .kind = gauge,
               .name = "cdc_slot_wal_status",
               .help = "1 for what the server says of the log the slot needs, 0 for the others: "
                       "reserved, extended (more than max_wal_size), unreserved (it may be "
                       "dropped at the next checkpoint), lost. From PostgreSQL 13 on.",
               .labels = {"status"}},
    MetricSpec{.id = Metric::changes_total,
               .kind = counter,
               .name = "cdc_changes_total",
               .help = "Changes taken from the server.",
               .labels = {"table", "op"}},
    MetricSpec{.id = Metric::transactions_total,
               .kind = counter,
               .name = "cdc_transactions_total",
               .help = "Transactions taken from the server."},
    MetricSpec{.id = Metric::sink_records_total,
               .kind = counter,
               .name = "cdc_sink_records_total",
               .help = "Records that the sink made durable."},
    MetricSpec{.id = Metric::sink_bytes_total,
               .kind = counter,
               .name = "cdc_sink_bytes_total",
               .help = "Bytes of keys and values that the sink made durable."},
    MetricSpec{.id = Metric::sink_errors_total,
               .kind = counter,
               .name = "cdc_sink_errors_total",
               .help = "Errors of the sink."},
    MetricSpec{.id = Metric::end_to_end_latency_seconds,
               .kind = histogram,
               .name = "cdc_end_to_end_latency_seconds",
               .help = "From the commit in the server to the confirmation by the sink.",
               .bounds = kSeconds},
    MetricSpec{.id = Metric::buffer_bytes,
               .kind = gauge,
               .name = "cdc_buffer_bytes",
               .help = "Bytes held for changes that are not durable yet."},
    MetricSpec{.id = Metric::backpressure_seconds_total,
               .kind = counter,
               .name = "cdc_backpressure_seconds_total",
               .help = "Time in which reading waited because the sink or the memory budget had "
                       "no room.",
               .unit = Unit::nanoseconds},
    MetricSpec{.id = Metric::checkpoints_total,
               .kind = counter,
               .name = "cdc_checkpoints_total",
               .help = "Times that a position was stored."},
    MetricSpec{.id = Metric::batch_duration_seconds,
               .kind = histogram,
               .name = "cdc_batch_duration_seconds",
               .help = "From the reading of a batch to its confirmation by the sink.",
               .bounds = kSeconds},
    MetricSpec{.id = Metric::batch_size_bytes,
               .kind = histogram,
               .name = "cdc_batch_size_bytes",
               .help = "Bytes of keys and values in a batch.",
               .bounds = kBytes},
    MetricSpec{.id = Metric::batch_row_count,
               .kind = histogram,
               .name = "cdc_batch_row_count",
               .help = "Records in a batch.",
               .bounds = kRows},
    MetricSpec{.id = Metric::batches_processed_total,
               .kind = counter,
               .name = "cdc_batches_processed_total",
               .help = "Batches that the sink made durable."},
    MetricSpec{.id = Metric::snapshot_rows_total,
               .kind = counter,
               .name = "cdc_snapshot_rows_total",
               .help = "Rows read by snapshots.",
               .labels = {"table"}},
    MetricSpec{.id = Metric::snapshot_progress_ratio,
               .kind = gauge,
               .name = "cdc_snapshot_progress_ratio",
               .help = "How much of a table its snapshot has read, from 0 to 1; the number of its "
                       "rows is estimated.",
               .labels = {"table"}},
    MetricSpec{.id = Metric::schema_changes_total,
               .kind = counter,
               .name = "cdc_schema_changes_total",
               .help = "Changes of a table's columns seen in the stream.",
               .labels = {"table"}},
    MetricSpec{.id = Metric::spill_bytes,
               .kind = gauge,
               .name = "cdc_spill_bytes",
               .help = "Bytes of transactions that are not committed yet, or are being read after "
                       "their commit, in files below state.dir."},
    MetricSpec{.id = Metric::streamed_transactions,
               .kind = gauge,
               .name = "cdc_streamed_transactions",
               .help = "Transactions of which the server has sent changes before their commit, and "
                       "which have not ended."},
    MetricSpec{.id = Metric::spill_fallbacks_total,
               .kind = counter,
               .name = "cdc_spill_fallbacks_total",
               .help = "Times that transactions were left to the server until their commit, "
                       "because state.spill_limit was reached, their files could not be "
                       "written, or the server could not decode them before it."},
    MetricSpec{.id = Metric::prepared_transactions,
               .kind = gauge,
               .name = "cdc_prepared_transactions",
               .help = "Prepared transactions that are neither committed nor rolled back, with "
                       "source.two_phase."},
    MetricSpec{.id = Metric::prepared_transaction_age_seconds,
               .kind = gauge,
               .name = "cdc_prepared_transaction_age_seconds",
               .help = "For how long the first of these has been prepared: the server keeps its "
                       "log from there on. 0 if there is none."},
    MetricSpec{.id = Metric::errors_total,
               .kind = counter,
               .name = "cdc_errors_total",
               .help = "Errors, by what kind of thing went wrong.",
               .labels = {"type"}},
    MetricSpec{.id = Metric::recovery_attempts_total,
               .kind = counter,
               .name = "cdc_recovery_attempts_total",
               .help = "Attempts to continue after an error that may pass by itself."},
    MetricSpec{.id = Metric::pipeline_state,
               .kind = gauge,
               .name = "cdc_pipeline_state",
               .help = "1 for the state the pipeline is in, 0 for the others: starting, "
                       "connecting, streaming, waiting (for the next attempt), draining, stopped, "
                       "failed.",
               .labels = {"state"}},
    MetricSpec{.id = Metric::pipeline_waiting,
               .kind = gauge,
               .name = "cdc_pipeline_waiting",
               .help = "1 for what the pipeline waits for, else 0: source (PostgreSQL), sink, "
                       "format (a schema registry), store (of the position).",
               .labels = {"on"}},
    MetricSpec{.id = Metric::stream_state,
               .kind = gauge,
               .name = "cdc_stream_state",
               .help = "1 for what the stream does, 0 for the others: idle (there is nothing to "
                       "send), working, blocked (nothing moves; cdc_pipeline_waiting says what is "
                       "waited for), dead (the walsender does not answer; reconnecting).",
               .labels = {"state"}},
    MetricSpec{.id = Metric::failed_attempts,
               .kind = gauge,
               .name = "cdc_failed_attempts",
               .help = "Attempts in a row that failed, to reach PostgreSQL, the sink or the stored "
                       "position; 0 once one succeeds."},
    MetricSpec{.id = Metric::kafka_records_in_flight,
               .kind = gauge,
               .name = "cdc_kafka_records_in_flight",
               .help = "Records handed to Kafka and not confirmed by it yet."},
    MetricSpec{.id = Metric::kafka_waiting,
               .kind = gauge,
               .name = "cdc_kafka_waiting",
               .help = "1 while Kafka has confirmed nothing for more than a second although "
                       "records wait for it, and while a start waits for it; else 0."},
    MetricSpec{.id = Metric::kafka_delivery_failures_total,
               .kind = counter,
               .name = "cdc_kafka_delivery_failures_total",
               .help = "Records that Kafka reported as not written, by its error.",
               .labels = {"error"}},
    MetricSpec{.id = Metric::kafka_topics_created_total,
               .kind = counter,
               .name = "cdc_kafka_topics_created_total",
               .help = "Topics that were created because they were missing."},
    MetricSpec{.id = Metric::kafka_dead_letters_total,
               .kind = counter,
               .name = "cdc_kafka_dead_letters_total",
               .help = "Records that were too large and went to the dead-letter topic."},
    MetricSpec{
        .id = Metric::files_written_total,
        .kind = counter,
        .name = "cdc_files_written_total",
        .help = "Files that are complete and registered, by type: streaming, full_reload, ddl.",
        .labels = {"type"}},
    MetricSpec{.id = Metric::file_size_bytes,
               .kind = histogram,
               .name = "cdc_file_size_bytes",
               .help = "Bytes of such a file, as it is on the disk.",
               .bounds = kFileBytes},
    MetricSpec{.id = Metric::table_last_batch_timestamp,
               .kind = gauge,
               .name = "cdc_table_last_batch_timestamp",
               .help = "When a file of the table was last completed, in seconds since 1970.",
               .labels = {"table"}},
    MetricSpec{.id = Metric::ddl_statements_total,
               .kind = counter,
               .name = "cdc_ddl_statements_total",
               .help = "Rows that were added to ddl_history: a table or type and what changed it."},
    MetricSpec{.id = Metric::table_mode,
               .kind = gauge,
               .name = "cdc_table_mode",
               .help = "What the files of a table are at: 0 streaming, 1 a reload is ordered, 2 "
                       "reloading. Of tables that were reloaded.",
               .labels = {"table"}},
    MetricSpec{
        .id = Metric::table_pending_changes,
        .kind = gauge,
        .name = "cdc_table_pending_changes",
        .help = "Rows of the table in files that loaders don't see yet, as of the last seal.",
        .labels = {"table"}},
    MetricSpec{.id = Metric::files_open,
               .kind = gauge,
               .name = "cdc_files_open",
               .help = "Files that are being written and that loaders don't see yet."},
    MetricSpec{.id = Metric::files_pending_bytes,
               .kind = gauge,
               .name = "cdc_files_pending_bytes",
               .help = "Bytes on the disk of such files, as of the last seal."},
    MetricSpec{.id = Metric::files_pending_rows,
               .kind = gauge,
               .name = "cdc_files_pending_rows",
               .help = "Rows in such files, as of the last seal."},
    MetricSpec{.id = Metric::compression_ratio,
               .kind = gauge,
               .name = "cdc_compression_ratio",
               .help = "Bytes before compression for each byte in files, of all that was written "
                       "since the sink was opened; NaN until something is."},
    MetricSpec{.id = Metric::file_seal_seconds,
               .kind = histogram,
               .name = "cdc_file_seal_seconds",
               .help = "How long it took to make durable what was written and to register it: the "
                       "disk, and the commit in the registry.",
               .bounds = kSeconds},
    MetricSpec{.id = Metric::files_removed_total,
               .kind = counter,
               .name = "cdc_files_removed_total",
               .help = "Files that file.retention removed."},
    MetricSpec{.id = Metric::files_removed_bytes_total,
               .kind = counter,
               .name = "cdc_files_removed_bytes_total",
               .help = "Bytes of such files."},
    MetricSpec{.id = Metric::registry_requests_total,
               .kind = counter,
               .name = "cdc_registry_requests_total",
               .help = "Requests to the schema registry, by outcome: ok, absent (it knows no such "
                       "subject or schema), refused, denied (it does not accept who we are), "
                       "failed (no answer, or none of use; sent again).",
               .labels = {"outcome"}},
    MetricSpec{.id = Metric::registry_schemas,
               .kind = gauge,
               .name = "cdc_registry_schemas",
               .help = "Schemas whose ids in the schema registry are known."},
    MetricSpec{.id = Metric::registry_waiting,
               .kind = gauge,
               .name = "cdc_registry_waiting",
               .help = "1 while the schema registry has not answered a request for more than a "
                       "second, else 0."},
    MetricSpec{.id = Metric::process_resident_memory_bytes,
               .kind = gauge,
               .name = "process_resident_memory_bytes",
               .help = "Memory of this process that is in RAM."},
    MetricSpec{.id = Metric::process_cpu_seconds_total,
               .kind = counter,
               .name = "process_cpu_seconds_total",
               .help = "Processor time of this process, in user and in kernel mode.",
               .unit = Unit::nanoseconds},
    MetricSpec{.id = Metric::process_start_time_seconds,
               .kind = gauge,
               .name = "process_start_time_seconds",
               .help = "When this process started, in seconds since 1970-01-01 UTC."},
    MetricSpec{.id = Metric::process_open_fds,
               .kind = gauge,
               .name = "process_open_fds",
               .help = "File descriptors that this process has open."},
    MetricSpec{.id = Metric::build_info,
               .kind = gauge,
               .name = "cdc_build_info",
               .help = "Always 1; its label is the version.",
               .labels = {"version"}},
};

static_assert(kCatalog.size() == static_cast<std::size_t>(Metric::build_info) + 1);
static_assert([] {
    for (std::size_t i = 0; i < kCatalog.size(); ++i) {
        if (static_cast<std::size_t>(kCatalog[i].id) != i) {
            return false;
        }
    }
    return true;
}());
static_assert(std::ranges::all_of(kCatalog, [](const MetricSpec& spec) {
    return (spec.kind == histogram) == !spec.bounds.empty() && std::ranges::is_sorted(spec.bounds);
}));

}  // namespace

std::span<const MetricSpec> metrics_catalog() noexcept {
    return kCatalog;
}

const MetricSpec& spec_of(Metric metric) noexcept {
    return kCatalog[static_cast<std::size_t>(metric)];
}

}  // namespace pgc
