// A small program's options, flags and check: enough to have one of every kind.
#pragma once

#include "config/declarations.h"
#include "config/flags.h"
#include "config/settings.h"

namespace pgc::config_fixture {

// --- a list of objects: transforms, each by its type, one of them with a list of its own ---

inline constexpr Option kCaseKeys[] = {
    {.path = "topic", .required = true, .help = "where it goes", .example = "others"},
    {.path = "when", .kind = OptionKind::map, .help = "columns and the values they must have"},
};
inline constexpr ObjectType kCase{.name = "case", .fields = kCaseKeys, .count_max = 3};

inline constexpr Option kTransformKeys[] = {
    {.path = "type",
     .kind = OptionKind::choice,
     .required = true,
     .help = "what it does",
     .example = "mask",
     .words = "mask|drop|route"},
    {.path = "tables.include",
     .kind = OptionKind::list,
     .fallback = "*.*",
     .help = "tables it is for",
     .doc = "Patterns, as everywhere."},
    {.path = "tables.exclude", .kind = OptionKind::list, .help = "and those it is not for"},
};
inline constexpr Option kMaskKeys[] = {
    {.path = "columns",
     .kind = OptionKind::list,
     .required = true,
     .help = "columns whose values are replaced",
     .example = "email"},
    {.path = "method",
     .kind = OptionKind::choice,
     .fallback = "redact",
     .help = "what stands there instead",
     .words = "redact|hash|truncate"},
    {.path = "salt",
     .kind = OptionKind::secret,
     .required_with = "method=hash",
     .help = "keeps hashes from being guessed"},
    {.path = "length",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "characters that stay",
     .min = 0,
     .max = 100},
};
inline constexpr Option kRouteKeys[] = {
    {.path = "cases",
     .kind = OptionKind::objects,
     .required = true,
     .help = "the first that fits is taken",
     .object = &kCase},
    {.path = "strict",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "one of them must fit"},
};
inline constexpr ObjectVariant kTransformVariants[] = {
    {.word = "mask", .about = "replaces values", .fields = kMaskKeys},
    {.word = "drop", .about = "leaves rows out"},
    {.word = "route", .about = "chooses a topic", .fields = kRouteKeys},
};

// Only truncating leaves characters.
inline void check_transform(const Settings& transform, Errors& errors) {
    if (transform.declared("length") && transform.integer("length") > 0 &&
        transform.word("method") != "truncate") {
        errors.contradiction(transform, {"length", "method"}, "only truncating leaves characters");
    }
}

inline constexpr ObjectType kTransform{.name = "transform",
                                       .fields = kTransformKeys,
                                       .chosen_by = "type",
                                       .variants = kTransformVariants,
                                       .count_max = 5,
                                       .check = check_transform};

// --- options ---

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
    {.path = "transforms",
     .kind = OptionKind::objects,
     .help = "what is done to each change, in this order",
     .object = &kTransform},
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
