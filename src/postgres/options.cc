#include "postgres/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "base/local_address.h"
#include "base/words.h"
#include "config/errors.h"

namespace pgc {

namespace {

// The words are libpq's.
enum class SslMode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };
constexpr auto kSslModes = words_for<SslMode>({{"disable", SslMode::disable},
                                               {"allow", SslMode::allow},
                                               {"prefer", SslMode::prefer},
                                               {"require", SslMode::require},
                                               {"verify-ca", SslMode::verify_ca},
                                               {"verify-full", SslMode::verify_full}});
enum class ChannelBinding : std::uint8_t { disable, prefer, require };
constexpr auto kChannelBindings = words_for<ChannelBinding>({{"disable", ChannelBinding::disable},
                                                             {"prefer", ChannelBinding::prefer},
                                                             {"require", ChannelBinding::require}});
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

constexpr std::size_t kNameMax = 63;  // bytes of a PostgreSQL identifier

constexpr Option kConnectionOptions[] = {
    {.path = "postgres.host",
     .fallback = "localhost",
     .variable = "PG_HOST",
     .customary = "PGHOST",
     .help = "server to follow: a name, an address or a socket directory; several with commas",
     .doc = "Several hosts are tried in turn until one accepts (see `target_session_attrs`). "
            "A host may carry its own port: `db1:5433,[::1]:5434`."},
    {.path = "postgres.port",
     .kind = OptionKind::integer,
     .fallback = "5432",
     .variable = "PG_PORT",
     .customary = "PGPORT",
     .help = "port of the hosts that name none",
     .min = 1,
     .max = 65535},
    {.path = "postgres.target_session_attrs",
     .kind = OptionKind::choice,
     .fallback = "any",
     .help = "which of several hosts will do",
     .words = "any|read-write|read-only|primary|standby|prefer-standby"},
    {.path = "postgres.database",
     .required = true,
     .variable = "PG_DATABASE",
     .customary = "PGDATABASE",
     .help = "database whose changes are captured",
     .example = "shop"},
    {.path = "postgres.username",
     .required = true,
     .variable = "PG_USERNAME",
     .customary = "PGUSER",
     .help = "role to log in as; needs REPLICATION",
     .example = "cdc"},
    {.path = "postgres.password",
     .kind = OptionKind::secret,
     .required = true,
     .variable = "PG_PASSWORD",
     .customary = "PGPASSWORD",
     .help = "its password; may be empty where the server asks for none",
     .doc = "Read again at each connect, so a rotated password in a file is picked up."},
    {.path = "postgres.ssl_mode",
     .kind = OptionKind::choice,
     .fallback = "disable",
     .variable = "PG_SSL_MODE",
     .customary = "PGSSLMODE",
     .help = "TLS: whether it is used, and what is checked",
     .doc = "`require` encrypts but trusts any server; `verify-ca` wants a certificate signed by "
            "`ssl_root_cert`; `verify-full` wants the host's name in it too. Plain text to another "
            "machine is warned about.",
     .words = kSslModes.all()},
    {.path = "postgres.ssl_root_cert",
     .fallback_note = "system with verify-full",
     .customary = "PGSSLROOTCERT",
     .help = "file of trusted authorities, or system for the machine's own",
     .doc = "`system` is possible with `verify-full` only."},
    {.path = "postgres.ssl_cert", .help = "file of our client certificate"},
    {.path = "postgres.ssl_key", .help = "file of its private key, mode 600"},
    {.path = "postgres.ssl_key_password",
     .kind = OptionKind::secret,
     .help = "what the private key is encrypted with"},
    {.path = "postgres.ssl_crl", .help = "file of revoked certificates"},
    {.path = "postgres.channel_binding",
     .kind = OptionKind::choice,
     .fallback = "prefer",
     .help = "tie the password's proof to the TLS connection (SCRAM, server 11 and later)",
     .words = kChannelBindings.all()},
    {.path = "postgres.require_auth",
     .fallback_note = "any method",
     .help = "authentication methods the server may ask for, with commas: scram-sha-256",
     .doc = "Of password, md5, gss, sspi, scram-sha-256 and none; with ! before each: all but "
            "these."},
    {.path = "postgres.connect_timeout_secs",
     .kind = OptionKind::seconds,
     .fallback = "30",
     .variable = "PG_CONNECT_TIMEOUT_SECS",
     .help = "how long one attempt to connect may take, all hosts together",
     .min = 1,
     .max = 3600},
    {.path = "postgres.publication",
     .fallback = "pg_replicate_kafka_pub",
     .variable = "PG_PUBLICATION",
     .help = "publication that says what the server sends; made if missing",
     .doc = "With `name` given and this not: the pipeline's name with `_pub` after it. One that "
            "pg-capture maintains belongs to one pipeline, which its comment names."},
    {.path = "postgres.slot_name",
     .fallback = "pg_replicate_kafka_slot",
     .variable = "PG_SLOT_NAME",
     .help = "replication slot that keeps our place; made if missing",
     .doc = "With `name` given and this not: the pipeline's name with `_slot` after it; what a "
            "slot's name can't hold becomes `_`."},
};

constexpr Option kSourceOptions[] = {
    {.path = "source.manage_publication",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "make the publication if it is missing and keep it as the table filters say",
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
    {.path = "source.toast",
     .kind = OptionKind::choice,
     .fallback = "omit",
     .help = "large values the server did not send because they did not change",
     .doc = "`omit` leaves the field out and names it in `source.unchanged`; `placeholder` puts a "
            "fixed text in its place; `reselect` reads it again from the table: the value is then "
            "today's, not that of the change, and the field is marked.",
     .words = kToast.all()},
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
            "publication and position stay, which it says); `when_needed`: also when the stored "
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
     .doc = "For so long a table is locked against being altered (ACCESS SHARE).",
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
     .doc = "It keeps VACUUM from removing rows meanwhile. What is left is then read in another "
            "one, while the stream continues in between.",
     .min = 1,
     .max = 604'800},
    {.path = "source.snapshot.rows_per_second",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "most rows read in a second; 0 for no limit",
     .min = 0,
     .max = 1'000'000'000},
    {.path = "source.snapshot.statement_timeout_secs",
     .kind = OptionKind::seconds,
     .fallback = "0",
     .help = "longest time of one reading statement; 0 for no limit",
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
                    "a slot's name is of a-z, 0-9 and _ only",
                    {},
                    {}});
        return;
    }
    check_name(settings, errors, path);
}

// "name", "name:port", "[::1]:port", "/directory"
std::optional<PostgresHost> parse_host(std::string_view text, std::uint16_t port) {
    PostgresHost host{std::string{text}, port};
    if (text.empty() || text.find_first_of(" \t,'\\") != std::string_view::npos)
        return std::nullopt;
    if (host.is_socket()) return host;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host.name = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else if (std::ranges::count(text, ':') == 1) {
        host.name = text.substr(0, text.find(':'));
        rest = text.substr(text.find(':'));
    }
    if (host.name.empty()) return std::nullopt;
    if (rest.empty()) return host;
    const auto digits = rest.substr(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), host.port);
    if (rest[0] != ':' || error != std::errc{} || end != digits.data() + digits.size() ||
        host.port == 0) {
        return std::nullopt;
    }
    return host;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto end = text.find(by);
        auto part = text.substr(0, end);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        parts.push_back(part);
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

void check_tls(const Settings& settings, Errors& errors) {
    const auto mode = settings.choice("postgres.ssl_mode", kSslModes);
    const std::string& root = settings.text("postgres.ssl_root_cert");
    if (root == "system" && mode != SslMode::verify_full) {
        errors.contradiction(settings, {"postgres.ssl_root_cert", "postgres.ssl_mode"},
                             "the machine's authorities sign for anybody",
                             "set postgres.ssl_mode to verify-full, or name your own authority");
    }
    if (mode == SslMode::verify_ca && root.empty()) {
        errors.contradiction(settings, {"postgres.ssl_mode", "postgres.ssl_root_cert"},
                             "verify-ca needs the authority to verify with",
                             "name its file in postgres.ssl_root_cert");
    }
    if (settings.text("postgres.ssl_cert").empty() != settings.text("postgres.ssl_key").empty()) {
        errors.contradiction(settings, {"postgres.ssl_cert", "postgres.ssl_key"},
                             "a certificate and its key go together", "give both or neither");
    }
    const auto binding = settings.choice("postgres.channel_binding", kChannelBindings);
    if (binding == ChannelBinding::require && mode == SslMode::disable) {
        errors.contradiction(settings, {"postgres.channel_binding", "postgres.ssl_mode"},
                             "channel binding needs TLS", "set postgres.ssl_mode to verify-full");
    }
}

void check_connection(const Settings& settings, Errors& errors) {
    if (!settings.broken("postgres.host")) {
        for (const auto text : split(settings.text("postgres.host"), ',')) {
            if (parse_host(text, 1)) continue;
            errors.add({settings.origin("postgres.host").text,
                        "postgres.host",
                        "each must be a name, an address or a directory, with :port if you like",
                        {},
                        {}});
            break;
        }
    }
    check_tls(settings, errors);
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
    {.section = "postgres",
     .about = "The server to follow, and how to log in.",
     .options = kConnectionOptions,
     .check = check_connection},
    {.section = "source", .about = "What is read, and how.", .options = kSourceOptions},
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

ConnectionConfig connection_config(const Settings& settings, Files& files) {
    ConnectionConfig c;
    const auto port = static_cast<std::uint16_t>(settings.integer("postgres.port"));
    for (const auto text : split(settings.text("postgres.host"), ',')) {
        if (auto host = parse_host(text, port)) c.hosts.push_back(std::move(*host));
    }
    c.target_session_attrs = settings.word("postgres.target_session_attrs");
    c.database = settings.text("postgres.database");
    c.username = settings.text("postgres.username");
    c.password = settings.secret_source("postgres.password", files);
    c.ssl_mode = settings.word("postgres.ssl_mode");
    c.ssl_root_cert = settings.text("postgres.ssl_root_cert");
    if (settings.choice("postgres.ssl_mode", kSslModes) == SslMode::verify_full &&
        c.ssl_root_cert.empty())
        c.ssl_root_cert = "system";
    c.ssl_cert = settings.text("postgres.ssl_cert");
    c.ssl_key = settings.text("postgres.ssl_key");
    if (settings.given("postgres.ssl_key_password")) {
        c.ssl_key_password = settings.secret_source("postgres.ssl_key_password", files);
    }
    c.ssl_crl = settings.text("postgres.ssl_crl");
    c.channel_binding = settings.word("postgres.channel_binding");
    c.require_auth = settings.text("postgres.require_auth");
    c.connect_timeout = settings.duration("postgres.connect_timeout_secs");
    return c;
}

bool may_be_plain(SslMode mode) noexcept {
    switch (mode) {
        case SslMode::disable:
        case SslMode::allow:
        case SslMode::prefer: return true;
        case SslMode::require:
        case SslMode::verify_ca:
        case SslMode::verify_full: return false;
    }
    return true;
}

}  // namespace

std::span<const OptionTable> postgres_option_tables() noexcept {
    return kTables;
}

std::string to_string(const PostgresHost& host) {
    if (host.is_socket()) return host.name;
    const bool v6 = host.name.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", host.name, host.port)
              : fmt::format("{}:{}", host.name, host.port);
}

bool ConnectionConfig::plain_text_to_others() const noexcept {
    if (!may_be_plain(kSslModes.find(ssl_mode).value_or(SslMode::disable))) return false;
    return std::ranges::any_of(hosts, [](const PostgresHost& host) {
        return !host.is_socket() && !is_this_machine(host.name);
    });
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
    c.manage_publication = settings.boolean("source.manage_publication");
    c.publish_via_partition_root = settings.boolean("source.publish_via_partition_root");
    c.binary = settings.choice("source.binary", kBinary);
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
