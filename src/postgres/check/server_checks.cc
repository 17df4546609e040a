#include "postgres/check/server_checks.h"

#include <fmt/format.h>

#include <utility>

#include "observe/status_line.h"
#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "pgclient/session.h"
#include "postgres/costly_steps.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

using Level = Finding::Level;
using std::chrono::seconds;

// Feedback goes out every ten seconds or sooner.
constexpr Duration kShortestSenderTimeout = seconds{15};

// Those in use may be ours already; then one more is needed for a snapshot only. A standby takes
// two: the second asks for its timeline (stream/timeline_watch.h).
void check_senders(const ServerFacts& facts, bool followed, Findings& findings) {
    const int needed = facts.standby && !followed ? 2 : 1;
    const bool full = facts.senders + needed > facts.senders_max;
    const std::string_view why =
        !full        ? ""
        : followed   ? ": a snapshot needs one more for its time"
        : needed > 1 ? ": following a standby takes two, one to ask for its timeline"
                     : "";
    findings.push_back(
        {.id = "max_wal_senders",
         .level = !full      ? Level::ok
                  : followed ? Level::warning
                             : Level::blocking,
         .subject = "max_wal_senders",
         .message = fmt::format("{} of {} in use{}", facts.senders, facts.senders_max, why),
         .hint = full ? fmt::format("ALTER SYSTEM SET max_wal_senders = {}; restart the server",
                                    facts.senders_max + 10)
                      : ""});
}

// With our slot there, one more is needed while a snapshot is taken that the slot did not bring.
void check_room_for_slot(const ServerFacts& facts, bool slot_is_there, Findings& findings) {
    const bool full = facts.slots >= facts.slots_max;
    findings.push_back(
        {.id = "max_replication_slots",
         .level = !full           ? Level::ok
                  : slot_is_there ? Level::warning
                                  : Level::blocking,
         .subject = "max_replication_slots",
         .message =
             fmt::format("{} of {} in use{}", facts.slots, facts.slots_max,
                         full && slot_is_there ? ": a snapshot needs one more for its time" : ""),
         .hint =
             full ? fmt::format("ALTER SYSTEM SET max_replication_slots = {}; restart the server",
                                facts.slots_max + 10)
                  : ""});
}

void in_use(const SlotState& slot, std::string_view instance, Finding& finding) {
    const std::string who =
        fmt::format("PID {}{}", slot.pid, slot.reader.empty() ? "" : " (" + slot.reader + ")");
    if (!read_by_pg_capture(slot)) {
        finding.level = Level::blocking;
        finding.message = "is in use by " + who;
        finding.hint = fmt::format("SELECT pg_terminate_backend({})", slot.pid);
    } else if (!instance.empty()) {
        finding.message = fmt::format("is followed by the running instance: {}", instance);
    } else {
        finding.level = Level::warning;
        finding.message = fmt::format(
            "is followed by another instance of pg-capture, {}; a second one waits until it ends",
            who);
        finding.hint =
            "stop that one before another is started here, or set PG_SLOT_NAME to another name";
    }
}

Finding slot_finding(const SlotState& slot, const PostgresConfig& config, const ServerFacts& facts,
                     std::string_view instance) {
    Finding finding{.id = "slot", .subject = "slot " + config.slot};
    if (auto sound = require_sound(slot, config.connection.database, facts.standby); !sound) {
        finding.level = Level::blocking;
        finding.message = sound.error().what;
        const bool ours = slot.here && slot.plugin == "pgoutput" && !slot.synced;
        finding.hint = ours ? begin_anew() : std::string{"set PG_SLOT_NAME to another name"};
    } else if (!config.two_phase && sends_prepared(slot, facts.version)) {
        const bool alterable = facts.version >= kAlterTwoPhaseSince;
        finding.level = alterable ? Level::warning : Level::blocking;
        finding.message = alterable ? "has two_phase on; pg-capture turns it off at its start"
                                    : two_phase_refused(slot).what;
        finding.hint = alterable ? "" : two_phase_refused(slot).hint;
    } else if (slot.active) {
        in_use(slot, instance, finding);
    } else if (slot.wal_status == "unreserved") {
        finding.level = Level::warning;
        finding.message =
            fmt::format("is about to be lost: it needs {} MiB of WAL, more than the server keeps",
                        slot.retained_bytes >> 20);
        finding.hint = "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf()";
    } else {
        finding.message =
            config.two_phase && !slot.two_phase
                ? "is there and free; its two_phase is turned on when pg-capture starts"
                : "is there and free";
    }
    return finding;
}

}  // namespace

Result<ServerFacts> ask_server(BlockingLink& link) {
    const auto rows = link.ask(server_facts_query());
    if (!rows) return std::unexpected(rows.error());
    auto facts = read_server_facts(*rows, link.link().server_version());
    if (!facts || facts->superuser || facts->replication) return facts;
    const auto managed = link.ask(managed_role_query());
    if (!managed) return std::unexpected(managed.error());
    facts->replication = Answer{*managed}.flag("replication");
    return facts;
}

void check_version(const ServerFacts& facts, Findings& findings) {
    Finding finding{.id = "version", .subject = "server"};
    finding.message = "PostgreSQL " + version_name(facts.version);
    if (facts.version < kOldestServer) {
        finding.level = Level::blocking;
        finding.hint = "update the server to PostgreSQL 10 or later: earlier ones have no pgoutput";
    } else if (facts.standby && facts.version < 160000) {
        finding.level = Level::blocking;
        finding.message += ", a standby, which can be followed from 16 on only";
        finding.hint = "connect to the primary";
    }
    findings.push_back(std::move(finding));
    for (const KnownBug& bug : known_bugs(facts.version)) {
        findings.push_back({.id = "server_bug",
                            .level = Level::warning,
                            .subject = "server",
                            .message = bug.what,
                            .hint = bug.hint});
    }
}

void check_settings(const ServerFacts& facts, bool followed, Findings& findings) {
    const bool logical = facts.wal_level == "logical";
    findings.push_back(
        {.id = "wal_level",
         .level = logical ? Level::ok : Level::blocking,
         .subject = "wal_level",
         .message = "is " + facts.wal_level,
         .hint = logical ? "" : "ALTER SYSTEM SET wal_level = logical; restart the server"});
    check_senders(facts, followed, findings);
    if (facts.max_slot_wal_keep_bytes >= 0) {
        findings.push_back(
            {.id = "max_slot_wal_keep_size",
             .level = Level::warning,
             .subject = "max_slot_wal_keep_size",
             .message = fmt::format("a slot that falls {} MiB behind is lost, and with it what it "
                                    "kept",
                                    facts.max_slot_wal_keep_bytes >> 20),
             .hint = "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf()"});
    }
    if (facts.idle_slot_timeout > Duration{0}) {
        findings.push_back(
            {.id = "idle_replication_slot_timeout",
             .level = Level::warning,
             .subject = "idle_replication_slot_timeout",
             .message = fmt::format("a slot that nobody reads for {} is lost, and with it what it "
                                    "kept: pg-capture must not be away for so long",
                                    readable_time(facts.idle_slot_timeout)),
             .hint =
                 "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf()"});
    }
    if (facts.version < kWalSenderTimeoutSince && facts.wal_sender_timeout > Duration{0} &&
        facts.wal_sender_timeout < kShortestSenderTimeout) {
        findings.push_back(
            {.id = "wal_sender_timeout",
             .level = Level::warning,
             .subject = "wal_sender_timeout",
             .message = "is so short that a short pause of pg-capture ends the connection",
             .hint = "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf()"});
    }
    if (facts.sql_ascii()) {
        findings.push_back({.id = "encoding",
                            .level = Level::warning,
                            .subject = "database",
                            .message = "SQL_ASCII: texts may hold bytes that are not UTF-8",
                            .hint = "set format.invalid_utf8 to base64 or replace; it stops at "
                                    "such bytes otherwise"});
    }
}

Result<void> check_two_phase(BlockingLink& link, const PostgresConfig& config,
                             const ServerFacts& facts, Findings& findings) {
    if (!config.two_phase) return {};
    Finding finding{.id = "two_phase", .subject = "source.two_phase"};
    if (auto known = require_two_phase(config, facts.version); !known) {
        finding.level = Level::blocking;
        finding.message = known.error().what;
        finding.hint = known.error().hint;
        findings.push_back(std::move(finding));
        return {};
    }
    const auto rows = link.ask(prepared_transactions_query());
    if (!rows) return std::unexpected(rows.error());
    Answer row{*rows};
    const auto allowed = row.number("allowed");
    const auto undecided = row.number("undecided");
    if (!row.sound()) return std::unexpected(strange_answer("max_prepared_transactions"));
    finding.level = allowed > 0 ? Level::ok : Level::warning;
    finding.message = allowed > 0
                          ? fmt::format("{} of {} prepared transactions in use", undecided, allowed)
                          : "max_prepared_transactions is 0: nobody can prepare a transaction";
    finding.hint = allowed > 0 ? ""
                               : "set source.two_phase to false; or ALTER SYSTEM SET "
                                 "max_prepared_transactions = 100; restart the server";
    findings.push_back(std::move(finding));
    return {};
}

void check_role(const ServerFacts& facts, Findings& findings) {
    const bool may = facts.superuser || facts.replication;
    findings.push_back(
        {.id = "replication",
         .level = may ? Level::ok : Level::blocking,
         .subject = "role " + facts.role,
         .message = may ? "may replicate" : "has no REPLICATION attribute",
         .hint = may ? "" : fmt::format("ALTER ROLE {} REPLICATION", quote_name(facts.role))});
}

Result<std::optional<SlotState>> ask_slot(BlockingLink& link, const PostgresConfig& config,
                                          const ServerFacts& facts) {
    const auto rows = link.ask(slots_query(facts.version, config.slot));
    if (!rows) return std::unexpected(rows.error());
    auto slots = read_slots(*rows);
    if (!slots) return std::unexpected(slots.error());
    if (slots->empty()) return std::nullopt;
    return std::move(slots->front());
}

void check_slot(const std::optional<SlotState>& slot, const PostgresConfig& config,
                const ServerFacts& facts, std::string_view instance, Findings& findings) {
    check_room_for_slot(facts, slot.has_value(), findings);
    findings.push_back(slot ? slot_finding(*slot, config, facts, instance)
                            : Finding{.id = "slot",
                                      .subject = "slot " + config.slot,
                                      .message = "is not there yet; it will be created"});
}

}  // namespace pgc
