#include "postgres/check/server_checks.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>

#include "postgres/quote.h"

namespace pgc {
namespace {

using Level = Finding::Level;

long long number(const std::string& text) {
    long long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// Releases below which a server loses or damages what logical decoding sends. 150018 is 15.18.
struct KnownBug {
    int major;
    int fixed_in;
};
constexpr std::array kDecodingBugs = {KnownBug{13, 130021}, KnownBug{14, 140018},
                                      KnownBug{15, 150013}, KnownBug{16, 160009},
                                      KnownBug{17, 170005}};

Result<std::map<std::string, std::string>> ask_settings(BlockingLink& link) {
    const auto rows = link.ask(
        "SELECT name, setting FROM pg_settings WHERE name IN ('wal_level', "
        "'max_replication_slots', 'max_wal_senders', 'wal_sender_timeout', "
        "'max_slot_wal_keep_size', 'server_encoding') UNION ALL "
        "SELECT 'slots_used', count(*)::text FROM pg_replication_slots UNION ALL "
        "SELECT 'senders_used', count(*)::text FROM pg_stat_replication UNION ALL "
        "SELECT 'encoding', pg_encoding_to_char(encoding) FROM pg_database "
        "WHERE datname = current_database()");
    if (!rows) return std::unexpected(rows.error());
    std::map<std::string, std::string> settings;
    for (const auto& row : rows->rows) {
        if (row.size() == 2 && row[0]) settings[*row[0]] = row[1].value_or("");
    }
    return settings;
}

void check_headroom(std::map<std::string, std::string>& settings, std::string_view id,
                    std::string_view used, Findings& findings) {
    const long long most = number(settings[std::string(id)]);
    const long long taken = number(settings[std::string(used)]);
    const bool full = taken >= most;
    findings.push_back(
        {.id = id,
         .level = full ? Level::warning : Level::ok,
         .subject = std::string(id),
         .message = fmt::format("{} of {} in use", taken, most),
         .mend = full ? fmt::format("ALTER SYSTEM SET {} = {}; restart the server", id, most + 10)
                      : std::string{}});
}

}  // namespace

Result<RoleFacts> ask_role(BlockingLink& link) {
    const auto rows = link.ask(
        "SELECT r.rolname, r.rolsuper, r.rolreplication OR EXISTS (SELECT 1 FROM pg_roles m "
        "WHERE m.rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin') "
        "AND pg_has_role(m.oid, 'member')), "
        "has_database_privilege(current_database(), 'CREATE') "
        "FROM pg_roles r WHERE r.rolname = current_user");
    if (!rows) return std::unexpected(rows.error());
    if (rows->rows.size() != 1) {
        return std::unexpected(
            stop(Error::Category::protocol, "the server does not know our role"));
    }
    const auto& row = rows->rows.front();
    const auto yes = [&](std::size_t i) { return row[i] == "t"; };
    return RoleFacts{row[0].value_or(""), yes(1), yes(2) || yes(1), yes(3)};
}

void check_version(BlockingLink& link, Findings& findings) {
    const int version = link.link().server_version();
    Finding finding{.id = "version", .level = Level::ok, .subject = "server"};
    finding.message = fmt::format("PostgreSQL {}.{}", version / 10000, version % 10000);
    if (version < 100000) {
        finding.level = Level::blocking;
        finding.mend = "upgrade to PostgreSQL 10 or later: earlier ones have no pgoutput";
    }
    for (const KnownBug& bug : kDecodingBugs) {
        if (version / 10000 != bug.major || version >= bug.fixed_in) continue;
        finding.level = Level::warning;
        finding.message +=
            ", which can lose changes when tables are altered while they are written";
        finding.mend = fmt::format("upgrade to {}.{} or later", bug.major, bug.fixed_in % 10000);
    }
    findings.push_back(std::move(finding));
}

Result<void> check_settings(BlockingLink& link, Findings& findings) {
    auto asked = ask_settings(link);
    if (!asked) return std::unexpected(std::move(asked.error()));
    auto& settings = *asked;
    const bool logical = settings["wal_level"] == "logical";
    findings.push_back(
        {.id = "wal_level",
         .level = logical ? Level::ok : Level::blocking,
         .subject = "wal_level",
         .message = "wal_level is " + settings["wal_level"],
         .mend = logical ? "" : "ALTER SYSTEM SET wal_level = 'logical'; restart the server"});
    check_headroom(settings, "max_replication_slots", "slots_used", findings);
    check_headroom(settings, "max_wal_senders", "senders_used", findings);
    if (const long long limit = number(settings["max_slot_wal_keep_size"]); limit > 0) {
        findings.push_back(
            {.id = "max_slot_wal_keep_size",
             .level = Level::warning,
             .subject = "max_slot_wal_keep_size",
             .message =
                 fmt::format("a slot that falls {} MB behind is lost, with what it kept", limit),
             .mend = "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf()"});
    }
    if (settings["encoding"] == "SQL_ASCII") {
        findings.push_back(
            {.id = "encoding",
             .level = Level::warning,
             .subject = "database",
             .message = "SQL_ASCII: texts may hold bytes that are no UTF-8",
             .mend = "set format.invalid_utf8 to base64 or replace; it stops otherwise"});
    }
    return {};
}

void check_role(const RoleFacts& role, Findings& findings) {
    findings.push_back(
        {.id = "replication",
         .level = role.replication ? Level::ok : Level::blocking,
         .subject = "role " + role.name,
         .message = role.replication ? "may replicate" : "has no REPLICATION attribute",
         .mend = role.replication
                     ? ""
                     : fmt::format("ALTER ROLE {} REPLICATION", quote_name(role.name))});
}

Result<void> check_slot(BlockingLink& link, const PostgresConfig& config, Findings& findings) {
    const bool has_status = link.link().server_version() >= 130000;
    const auto rows = link.ask(
        fmt::format("SELECT plugin, database, active_pid, {}, current_database() "
                    "FROM pg_replication_slots WHERE slot_name = {}",
                    has_status ? "coalesce(wal_status, '')" : "''", quote_text(config.slot)));
    if (!rows) return std::unexpected(rows.error());
    Finding finding{.id = "slot", .level = Level::ok, .subject = "slot " + config.slot};
    const std::string drop = "SELECT pg_drop_replication_slot(" + quote_text(config.slot) + ")";
    if (rows->rows.empty()) {
        finding.message = "is not there yet; it will be created";
        findings.push_back(std::move(finding));
        return {};
    }
    const auto& row = rows->rows.front();
    const auto cell = [&](std::size_t i) { return row[i].value_or(""); };
    if (cell(0) != "pgoutput") {
        finding.level = Level::blocking;
        finding.message = "is of " + (cell(0).empty() ? "a standby" : "plugin " + cell(0));
        finding.mend = "name another one in postgres.slot_name";
    } else if (cell(1) != cell(4)) {
        finding.level = Level::blocking;
        finding.message = "belongs to database " + cell(1);
        finding.mend = "name another one in postgres.slot_name";
    } else if (cell(3) == "lost") {
        finding.level = Level::blocking;
        finding.message = "is lost: the server has removed log that it needs";
        finding.mend = drop;
    } else if (row[2]) {
        finding.level = Level::blocking;
        finding.message = "is in use by PID " + cell(2) + ": another instance follows it";
        finding.mend = "SELECT pg_terminate_backend(" + cell(2) + ")";
    } else {
        finding.message = "is there and free";
    }
    findings.push_back(std::move(finding));
    return {};
}

}  // namespace pgc
