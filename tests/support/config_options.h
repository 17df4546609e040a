// A small program's options, flags and check: enough to have one of every kind.
#pragma once

#include "config/declarations.h"
#include "config/flags.h"
#include "config/settings.h"

namespace pgc::config_fixture {

inline constexpr Option kRootOptions[] = {
    {.path = "name",
     .fallback_note = "the slot's name",
     .help = "name of the pipeline",
     .doc = "Stands in logs and metrics."},
    {.path = "sink",
     .kind = OptionKind::choice,
     .fallback = "console",
     .letter = 's',
     .help = "where changes go",
     .words = "console|discard|kafka"},
};
inline constexpr Option kPostgresOptions[] = {
    {.path = "postgres.host", .fallback = "localhost", .variable = "PG_HOST", .help = "server"},
    {.path = "postgres.port",
     .kind = OptionKind::integer,
     .fallback = "5432",
     .variable = "PG_PORT",
     .help = "its port",
     .min = 1,
     .max = 65535},
    {.path = "postgres.database",
     .required = true,
     .variable = "PG_DATABASE",
     .help = "database to follow",
     .example = "shop"},
    {.path = "postgres.password",
     .kind = OptionKind::secret,
     .required = true,
     .variable = "PG_PASSWORD",
     .help = "password"},
    {.path = "postgres.connect_timeout_secs",
     .kind = OptionKind::seconds,
     .fallback = "30",
     .variable = "PG_CONNECT_TIMEOUT_SECS",
     .help = "patience when connecting",
     .min = 1},
    {.path = "postgres.ssl_mode",
     .kind = OptionKind::choice,
     .fallback = "disable",
     .variable = "PG_SSL_MODE",
     .help = "TLS",
     .words = "disable|prefer|require|verify-full"},
};
inline constexpr Option kSourceOptions[] = {
    {.path = "source.tables.include",
     .kind = OptionKind::list,
     .fallback = "*.*",
     .help = "tables to capture"},
    {.path = "source.tables.exclude", .kind = OptionKind::list, .help = "tables to leave out"},
    {.path = "source.two_phase",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "decode at PREPARE"},
    {.path = "source.heartbeat_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "100",
     .help = "beat"},
};
inline constexpr Option kOtherOptions[] = {
    {.path = "http.token", .kind = OptionKind::secret, .help = "token of mutations"},
    {.path = "logging.modules",
     .kind = OptionKind::map,
     .help = "level per module",
     .words = "debug|info|warn"},
    {.path = "kafka.properties",
     .kind = OptionKind::map,
     .fallback = "socket.keepalive.enable=true",
     .help = "handed to the library"},
    {.path = "replication.checkpoint_file",
     .variable = "REPLICATION_CHECKPOINT_FILE",
     .help = "where the position is kept"},
    {.path = "sql.template", .fallback = "a ${b} $${c}", .help = "text with dollars"},
};

// Two-phase needs TLS here, so that there is something to contradict.
inline void check(const Settings& settings, Errors& errors) {
    if (settings.boolean("source.two_phase") && settings.word("postgres.ssl_mode") == "disable") {
        errors.contradiction(settings, {"source.two_phase", "postgres.ssl_mode"},
                             "two-phase needs TLS", "set postgres.ssl_mode");
    }
}

inline Declarations declarations() {
    return {
        {.section = "", .about = "The pipeline.", .options = kRootOptions},
        {.section = "postgres",
         .about = "The source.",
         .options = kPostgresOptions,
         .check = check},
        {.section = "source", .about = "What to read.", .options = kSourceOptions},
        {.options = kOtherOptions},
    };
}

inline constexpr Flag kFlags[] = {
    {.name = "config", .letter = 'c', .value_name = "FILE", .help = "configuration file"},
    {.name = "json-logs",
     .letter = 'j',
     .help = "discard, as it happens",
     .sets_path = "sink",
     .sets_value = "discard"},
    {.name = "verbose", .letter = 'v', .help = "say more"},
    {.name = "output", .value_name = "FORM", .words = "text|json", .help = "for whom"},
};

}  // namespace pgc::config_fixture
