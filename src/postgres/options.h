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
#include "core/snapshot.h"

namespace pgc {

// Sections postgres.*, source.tables.*, source.columns.*, source.heartbeat.*, source.*.
std::span<const OptionTable> postgres_option_tables() noexcept;

struct PostgresHost {
    std::string name;  // a host name, an address, or the directory of a Unix socket
    std::uint16_t port = 5432;

    bool is_socket() const noexcept { return name.starts_with('/') || name.starts_with('@'); }
};

// "db:5432", "[::1]:5432"; of a socket its path.
std::string to_string(const PostgresHost& host);

// How a server is reached and convinced. No option of libpq that is not named here can
// be set: not by the user, not by its own variables and files (link/libpq_link.h).
struct ConnectionConfig {
    std::vector<PostgresHost> hosts;
    std::string target_session_attrs = "any";
    std::string database;
    std::string username;
    SecretSource password;  // asked again at each connect
    std::string ssl_mode = "disable";
    std::string ssl_root_cert;  // a file or "system"
    std::string ssl_cert;
    std::string ssl_key;
    SecretSource ssl_key_password;  // may be unset
    std::string ssl_crl;
    std::string channel_binding = "prefer";
    std::string require_auth;  // empty: any method
    Duration connect_timeout{0};
    bool read_only = false;  // the server refuses these sessions every write

    // Some host may be another machine and the traffic to it is not surely encrypted.
    bool plain_text_to_others() const noexcept;
};

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

    bool manage_publication = true;  // create it, and keep it in step where we created it
    bool publish_via_partition_root = false;
    bool binary = true;  // take binary tuples where they are possible
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
