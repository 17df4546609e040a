// What this room lets the user decide: one table of options, and what they result in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "core/name_pattern.h"
#include "core/named_columns.h"
#include "core/snapshot.h"
#include "pgclient/connection.h"

namespace pgc {

// Section source.* and all below it, and the names in section postgres; the rest of that is the
// connection's (pgclient/connection_options.h).
std::span<const OptionTable> postgres_option_tables() noexcept;

// How existing rows are read (postgres/snapshot/).
struct SnapshotConfig {
    std::uint64_t readers = 2;
    std::uint64_t chunk_rows = 100'000;
    std::uint64_t share = 50;  // percent of the time
    Duration hold_max = std::chrono::seconds{3600};
    std::uint64_t rows_per_second = 0;  // 0: any number
    Duration statement_timeout{0};      // zero: none
    bool new_tables = true;
    bool messages = true;       // logical messages may request snapshots
    std::string signal_schema;  // of signal_table; empty: none
    std::string signal_table;
};

enum class ToastMode : std::uint8_t { omit, placeholder, reselect };

struct PostgresConfig {
    ConnectionConfig connection;
    std::string pipeline;  // its name; the slot's where it has none
    std::string publication;
    std::string slot;

    TableFilter tables;
    bool tables_given = false;   // the user named tables; otherwise the filter is everything
    Duration tables_refresh{0};  // how often to look for new tables; zero: never
    ColumnFilter columns;
    NamedColumns message_keys;       // in place of the tables' own keys
    bool unique_keys = false;        // a unique index does for a primary key, in keys of records
    NamedColumns partition_columns;  // the sink's, for `check`: old rows must have these, too

    bool manage_publication = true;  // create it, and keep it in step where we created it
    bool publish_via_partition_root = false;
    bool binary = true;      // take binary tuples where they are possible
    bool two_phase = false;  // take prepared transactions when they are prepared
    ToastMode toast = ToastMode::omit;
    SnapshotConfig snapshot;
    Duration heartbeat_interval{0};  // zero: none
    std::string heartbeat_sql;
};

// Of settings that load() found no fault in. `files` must outlive the result.
PostgresConfig postgres_config(const Settings& settings, Files& files);
// The same for a source that only looks (peek): nothing is altered, written or requested. A
// publication is used as it is, whoever maintains it.
PostgresConfig looking_only(PostgresConfig config);
// source.snapshot.mode, for the pipeline.
SnapshotMode snapshot_mode(const Settings& settings);

}  // namespace pgc
