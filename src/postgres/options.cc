#include "postgres/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/words.h"
#include "config/errors.h"
#include "pgclient/connection_options.h"

namespace pgc {

namespace {

constexpr auto kBinary = words_for<bool>({{"auto", true}, {"never", false}});
constexpr auto kToast = words_for<ToastMode>({{"omit", ToastMode::omit},
                                              {"placeholder", ToastMode::placeholder},
                                              {"reselect", ToastMode::reselect}});
constexpr auto kSnapshotModes =
    words_for<SnapshotMode>({{"initial", SnapshotMode::initial},
                             {"always", SnapshotMode::always},
                             {"never", SnapshotMode::never},
                             {"only", SnapshotMode::only},
                             {"when_needed", SnapshotMode::when_needed}});

constexpr std::string_view kMessageKeys = "source.message_keys";
constexpr std::size_t kNameMax = 63;  // bytes of a PostgreSQL identifier

constexpr Option kNameOptions[] = {
    {.path = "postgres.publication",
     .fallback = "pg_replicate_kafka_pub",
     .variable = "PG_PUBLICATION",
     .help = "publication that says what the server sends; created if missing",
     .doc = "With `name` given and this not: the pipeline's name with `_pub` after it. One that "
            "pg-capture maintains belongs to one pipeline, which its comment names."},
    {.path = "postgres.slot_name",
     .fallback = "pg_replicate_kafka_slot",
     .variable = "PG_SLOT_NAME",
     .help = "replication slot that keeps our position; created if missing",
     .doc = "With `name` given and this not: the pipeline's name with `_slot` after it; what a "
            "slot's name can't hold becomes `_`."},
};

constexpr Option kSourceOptions[] = {
    {.path = "source.manage_publication",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "create the publication if it is missing and keep it in line with the table filters",
     .doc = "Only a publication that pg-capture made is ever altered. With `false` it must be "
            "there and is used as it is; the table filters then only leave out."},
    {.path = "source.publish_via_partition_root",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "rows of partitions come under their root's name (server 13 and later)",
     .doc = "Of a publication that is used as it is, its own setting counts."},
    {.path = "source.binary",
     .kind = OptionKind::choice,
     .fallback = "auto",
     .help = "take values in binary where every published type allows it (server 14 and later)",
     .doc = "The output is the same; binary is cheaper for the server and for us.",
     .words = kBinary.all()},
    {.path = "source.two_phase",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "take prepared transactions when they are prepared (server 15 and later)",
     .doc =
         "Without it the server sends them after COMMIT PREPARED; with it they are sent at "
         "PREPARE TRANSACTION, kept below `state.dir` until they are decided, and published at "
         "COMMIT PREPARED: the records are the same, and there sooner if the transactions are "
         "large. While one is undecided the slot is confirmed only up to its PREPARE. The slot "
         "is made with `two_phase`, or it is turned on. Not for a server that names pg-capture in "
         "`synchronous_standby_names`: PREPARE TRANSACTION would wait for its own decision."},
    {.path = "source.toast",
     .kind = OptionKind::choice,
     .fallback = "omit",
     .help = "large values the server did not send because they did not change",
     .doc = "`omit` leaves the field out and names it in `source.unchanged`; `placeholder` puts a "
            "fixed text in its place; `reselect` reads it again from the table: the value is then "
            "today's, not that of the change, and the field is marked.",
     .words = kToast.all()},
    {.path = kMessageKeys,
     .kind = OptionKind::map,
     .help = "columns that make the key of messages, by table: schema.table with * and ?, then a+b",
     .doc =
         "In place of the primary key, also for tables without one. A change of these columns is "
         "a change of the key. An UPDATE or DELETE must bring their old values: they are in the "
         "table's replica identity, or the table has `REPLICA IDENTITY FULL`; otherwise it is "
         "refused. A table's own name counts before patterns, and of several patterns the first "
         "in the alphabet. In Debezium's spelling: `format.debezium.message_key_columns`."},
};

constexpr Option kTableOptions[] = {
    {.path = "source.tables.include",
     .kind = OptionKind::list,
     .fallback = "*.*",
     .help = "tables to capture, as schema.table with * and ?",
     .doc =
         "In double quotes a part is taken as it is: `\"My.Schema\".*`. Case counts. A partition "
         "counts through the partitioned tables above it, too, unless its own name is excluded."},
    {.path = "source.tables.exclude",
     .kind = OptionKind::list,
     .help = "tables to leave out; wins over include"},
    {.path = "source.tables.refresh_secs",
     .kind = OptionKind::seconds,
     .fallback = "5",
     .help = "how often to look for new tables that match; 0 for never",
     .min = 0,
     .max = 86400},
};

constexpr Option kColumnOptions[] = {
    {.path = "source.columns.exclude",
     .kind = OptionKind::list,
     .help = "columns to leave out, as schema.table.column with * and ?",
     .doc = "A column of a table's key can't be left out."},
};

constexpr Option kSnapshotOptions[] = {
    {.path = "source.snapshot.mode",
     .kind = OptionKind::choice,
     .fallback = "initial",
     .help = "when rows that are there already are sent, as READ",
     .doc = "`initial`: at the first start, which is one without a stored position, whoever made "
            "the slot; `always`: at each start; `only`: likewise, and then the process ends (slot, "
            "publication and position stay, as it logs); `when_needed`: also when the stored "
            "position can't be used, which is logged as an error; `never`: only on request. What a "
            "crash interrupts is continued at the next start, in each mode.",
     .words = kSnapshotModes.all()},
    {.path = "source.snapshot.readers",
     .kind = OptionKind::integer,
     .fallback = "2",
     .help = "connections that read at the same time, different tables or parts of one",
     .min = 1,
     .max = 64},
    {.path = "source.snapshot.chunk_rows",
     .kind = OptionKind::integer,
     .fallback = "100000",
     .help = "rows read by one statement",
     .doc = "While a statement runs, its table can't be altered (ACCESS SHARE lock).",
     .min = 1,
     .max = 1'000'000'000},
    {.path = "source.snapshot.share",
     .kind = OptionKind::integer,
     .fallback = "50",
     .help = "percent of the time that snapshots taken while the stream runs may hold it up",
     .doc = "They are read in slices of about 200 ms, between which the stream continues.",
     .min = 1,
     .max = 100},
    {.path = "source.snapshot.hold_secs",
     .kind = OptionKind::seconds,
     .fallback = "3600",
     .help = "how long the database may hold one snapshot for us",
     .doc =
         "It keeps VACUUM from removing rows meanwhile. What is left is then read in another "
         "one, while the stream continues in between. With `sink: file` it is, unless it is set, "
         "`file.batch_interval_secs`, and 60 at least: so changes of tables that are read wait "
         "for no larger table.",
     .min = 1,
     .max = 604'800},
    {.path = "source.snapshot.rows_per_second",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "maximum number of rows read per second; 0 for no limit",
     .min = 0,
     .max = 1'000'000'000},
    {.path = "source.snapshot.statement_timeout_secs",
     .kind = OptionKind::seconds,
     .fallback = "0",
     .help = "timeout of one reading statement; 0 for no limit",
     .doc = "What a statement has read until then counts; the next continues after it. Only of a "
            "table without a key everything counts or nothing.",
     .min = 0,
     .max = 86'400},
    {.path = "source.snapshot.new_tables",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "read the rows of tables that come to be captured later",
     .doc = "Because they are new, because wider filters choose them, or because they were "
            "attached, moved or published by somebody else: what they held before is in no stream. "
            "Looked for at each start and every `source.tables.refresh_secs`. Not with mode "
            "`never`."},
    {.path = "source.snapshot.messages",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "accept snapshot requests from logical messages",
     .doc = "Every role of the database may emit messages: with them it can have captured tables "
            "read again, ten snapshots at a time at most, and pause, resume and cancel such "
            "snapshots, but none that was requested otherwise. PostgreSQL 14 and later."},
    {.path = "source.snapshot.signal_table",
     .help = "table whose new rows request snapshots, as schema.table",
     .doc = "With columns `id`, `type` and `data`, as Debezium's: type `execute-snapshot` and data "
            "`{\"data-collections\":[\"public.orders\"]}`; `pause-snapshot`, `resume-snapshot`, "
            "`stop-snapshot`. It must be captured."},
};

constexpr Option kHeartbeatOptions[] = {
    {.path = "source.heartbeat.interval_secs",
     .kind = OptionKind::seconds,
     .fallback = "0",
     .help = "how often to run the heartbeat's SQL; 0 for never",
     .min = 0,
     .max = 86400},
    {.path = "source.heartbeat.sql",
     .help = "statement to run; its names must be schema-qualified",
     .doc = "Only for servers whose idle slots need writes in the database itself. The idle slots "
            "of ordinary servers advance by themselves."},
};

void check_name(const Settings& settings, Errors& errors, std::string_view path) {
    const std::string& name = settings.text(path);
    if (settings.broken(path) || (!name.empty() && name.size() <= kNameMax)) return;
    errors.add({settings.origin(path).text,
                std::string{path},
                fmt::format("must be a name of 1 to {} bytes", kNameMax),
                {},
                {}});
}

void check_slot_name(const Settings& settings, Errors& errors) {
    constexpr std::string_view path = "postgres.slot_name";
    const std::string& name = settings.text(path);
    const bool lawful = std::ranges::all_of(
        name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (!lawful && !settings.broken(path)) {
        errors.add({settings.origin(path).text,
                    std::string{path},
                    "a slot's name may hold a-z, 0-9 and _ only",
                    {},
                    {}});
        return;
    }
    check_name(settings, errors, path);
}

void check_names(const Settings& settings, Errors& errors) {
    check_name(settings, errors, "postgres.publication");
    check_slot_name(settings, errors);
}

void check_patterns(const Settings& settings, Errors& errors, std::string_view path,
                    std::size_t parts) {
    if (settings.broken(path)) return;
    for (const std::string& text : settings.list(path)) {
        if (NamePattern::parse(text, parts)) continue;
        errors.add({settings.origin(path).text,
                    std::string{path},
                    fmt::format("\"{}\" is not of the form {}", text,
                                parts == 2 ? "schema.table" : "schema.table.column"),
                    {},
                    {}});
    }
}

void check_tables(const Settings& settings, Errors& errors) {
    check_patterns(settings, errors, "source.tables.include", 2);
    check_patterns(settings, errors, "source.tables.exclude", 2);
    if (settings.list("source.tables.include").empty() &&
        !settings.broken("source.tables.include")) {
        errors.add({settings.origin("source.tables.include").text,
                    "source.tables.include",
                    "no table would be captured",
                    {},
                    "leave it out for all tables"});
    }
}

void check_source(const Settings& settings, Errors& errors) {
    if (settings.broken(kMessageKeys)) return;
    const auto add = [&](std::string reason) {
        errors.add({settings.origin(kMessageKeys).text,
                    std::string{kMessageKeys},
                    std::move(reason),
                    {},
                    {}});
    };
    for (const auto& [table, columns] : settings.map(kMessageKeys)) {
        if (!NamePattern::parse(table, 2)) {
            add(fmt::format("\"{}\" is not of the form schema.table", table));
        }
        if (!column_names(columns)) {
            add(fmt::format("the columns for \"{}\" are not of the form a or a+b", table));
        }
    }
}

void check_columns(const Settings& settings, Errors& errors) {
    check_patterns(settings, errors, "source.columns.exclude", 3);
}

void check_heartbeat(const Settings& settings, Errors& errors) {
    const bool on = settings.duration("source.heartbeat.interval_secs") > Duration{0};
    if (on == settings.text("source.heartbeat.sql").empty()) {
        errors.contradiction(settings, {"source.heartbeat.interval_secs", "source.heartbeat.sql"},
                             "an interval and a statement go together", "give both or neither");
    }
}

void check_snapshot(const Settings& settings, Errors& errors) {
    constexpr std::string_view path = "source.snapshot.signal_table";
    const std::string& text = settings.text(path);
    if (settings.broken(path) || text.empty()) return;
    const auto pattern = NamePattern::parse(text, 2);
    if (pattern && pattern->literal(0) && pattern->literal(1)) return;
    errors.add({settings.origin(path).text,
                std::string{path},
                fmt::format("\"{}\" is not the name of one table, as schema.table", text),
                {},
                {}});
}

constexpr OptionTable kTables[] = {
    {.section = "postgres", .options = kNameOptions, .check = check_names},
    {.section = "source",
     .about = "What is read, and how.",
     .options = kSourceOptions,
     .check = check_source},
    {.section = "source.tables",
     .about = "Which tables are captured. New ones that match are picked up.",
     .options = kTableOptions,
     .check = check_tables},
    {.section = "source.columns",
     .about = "Which columns are captured.",
     .options = kColumnOptions,
     .check = check_columns},
    {.section = "source.snapshot",
     .about = "Rows that were there before the stream.",
     .options = kSnapshotOptions,
     .check = check_snapshot},
    {.section = "source.heartbeat",
     .about = "A statement run now and then, so that an idle database writes WAL.",
     .options = kHeartbeatOptions,
     .check = check_heartbeat},
};

std::vector<NamePattern> patterns(const Settings& settings, std::string_view path,
                                  std::size_t parts) {
    std::vector<NamePattern> all;
    for (const std::string& text : settings.list(path)) {
        if (auto pattern = NamePattern::parse(text, parts)) all.push_back(std::move(*pattern));
    }
    return all;
}

SnapshotConfig snapshot_config(const Settings& settings) {
    const auto number = [&](std::string_view path) {
        return static_cast<std::uint64_t>(settings.integer(path));
    };
    SnapshotConfig c;
    c.readers = number("source.snapshot.readers");
    c.chunk_rows = number("source.snapshot.chunk_rows");
    c.share = number("source.snapshot.share");
    c.hold_max = settings.duration("source.snapshot.hold_secs");
    c.rows_per_second = number("source.snapshot.rows_per_second");
    c.statement_timeout = settings.duration("source.snapshot.statement_timeout_secs");
    c.new_tables = settings.boolean("source.snapshot.new_tables") &&
                   snapshot_mode(settings) != SnapshotMode::never;
    c.messages = settings.boolean("source.snapshot.messages");
    const auto signal = NamePattern::parse(settings.text("source.snapshot.signal_table"), 2);
    if (signal) {
        c.signal_schema = signal->literal(0).value_or("");
        c.signal_table = signal->literal(1).value_or("");
    }
    return c;
}

}  // namespace

std::span<const OptionTable> postgres_option_tables() noexcept {
    return kTables;
}

SnapshotMode snapshot_mode(const Settings& settings) {
    return settings.choice("source.snapshot.mode", kSnapshotModes);
}

namespace {

// Of a slot, whose name may hold a-z, 0-9 and _ only.
std::string named_after(std::string_view pipeline, std::string_view suffix) {
    std::string name{pipeline.substr(0, kNameMax - suffix.size())};
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) c = '_';
    }
    return name + std::string{suffix};
}

}  // namespace

PostgresConfig postgres_config(const Settings& settings, Files& files) {
    PostgresConfig c;
    c.connection = connection_config(settings, files);
    c.publication = settings.text("postgres.publication");
    c.slot = settings.text("postgres.slot_name");
    c.pipeline = settings.declared("name") ? settings.text("name") : std::string{};
    if (!c.pipeline.empty()) {
        if (!settings.given("postgres.publication"))
            c.publication = named_after(c.pipeline, "_pub");
        if (!settings.given("postgres.slot_name")) c.slot = named_after(c.pipeline, "_slot");
    } else {
        c.pipeline = c.slot;
    }
    c.tables = TableFilter{patterns(settings, "source.tables.include", 2),
                           patterns(settings, "source.tables.exclude", 2)};
    c.tables_given =
        settings.given("source.tables.include") || settings.given("source.tables.exclude");
    c.tables_refresh = settings.duration("source.tables.refresh_secs");
    c.columns = ColumnFilter{patterns(settings, "source.columns.exclude", 3)};
    c.message_keys = NamedColumns::of_map(kMessageKeys, settings.map(kMessageKeys));
    c.manage_publication = settings.boolean("source.manage_publication");
    c.publish_via_partition_root = settings.boolean("source.publish_via_partition_root");
    c.binary = settings.choice("source.binary", kBinary);
    c.two_phase = settings.boolean("source.two_phase");
    c.toast = settings.choice("source.toast", kToast);
    c.snapshot = snapshot_config(settings);
    c.heartbeat_interval = settings.duration("source.heartbeat.interval_secs");
    c.heartbeat_sql = settings.text("source.heartbeat.sql");
    return c;
}

PostgresConfig looking_only(PostgresConfig config) {
    config.connection.read_only = true;
    config.manage_publication = false;
    config.tables_refresh = Duration{0};
    config.heartbeat_interval = Duration{0};
    config.heartbeat_sql.clear();
    config.snapshot.new_tables = false;
    config.snapshot.signal_schema.clear();
    config.snapshot.signal_table.clear();
    return config;
}

}  // namespace pgc
