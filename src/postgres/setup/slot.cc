#include "postgres/setup/slot.h"

#include <fmt/core.h>

#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/costly_steps.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

Error lost(const SlotState& slot, const std::string& why) {
    Error error = stop(Error::Category::position,
                       fmt::format("slot {} is lost: {}", quote_name(slot.name), why));
    error.hint = begin_anew();
    return error;
}

std::string reason_of(const std::string& invalid) {
    if (invalid == "wal_removed") return "the server has removed WAL that it still needed";
    if (invalid == "rows_removed") return "rows it still needed were vacuumed away";
    if (invalid == "wal_level_insufficient") return "the primary's wal_level fell below logical";
    if (invalid == "idle_timeout")
        return "it was idle for longer than idle_replication_slot_timeout";
    return "the server has invalidated it (" + invalid + ")";
}

}  // namespace

Result<std::vector<SlotState>> read_slots(const Rows& rows) {
    std::vector<SlotState> slots;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        SlotState& s = slots.emplace_back();
        s.name = row.text("name");
        s.plugin = row.text("plugin");
        s.database = row.text("database");
        s.here = row.flag("here");
        s.active = row.flag("active");
        s.pid = row.number("pid");
        s.reader = row.text("reader");
        s.restart = row.lsn("restart");
        s.confirmed = row.lsn("confirmed");
        s.retained_bytes = row.number("retained");
        s.server_end = row.lsn("server_end");
        if (!row.is_null("safe")) s.safe_bytes = row.number("safe");
        if (!row.is_null("inactive_s"))
            s.inactive_for = std::chrono::seconds{row.number("inactive_s")};
        s.idle_timeout = std::chrono::seconds{row.number("idle_timeout_s")};
        s.wal_status = row.text("wal_status");
        s.invalid = row.text("invalid");
        s.two_phase = row.flag("two_phase");
        s.failover = row.flag("failover");
        s.synced = row.flag("synced");
        if (!row.sound()) return std::unexpected(strange_answer("slots"));
    }
    return slots;
}

Result<void> require_sound(const SlotState& slot, const std::string& database, bool standby) {
    if (slot.plugin != "pgoutput" || !slot.here) {
        const bool plugin = slot.plugin != "pgoutput";
        Error error = stop(
            Error::Category::configuration,
            fmt::format("slot {} is {} \"{}\", not {}", quote_name(slot.name),
                        plugin ? "of plugin" : "of database", plugin ? slot.plugin : slot.database,
                        plugin ? "of pgoutput" : "of \"" + database + "\""));
        error.hint = "set PG_SLOT_NAME to another name; or, if nobody needs it: " +
                     drop_slot_step(slot.name);
        return std::unexpected(std::move(error));
    }
    if (!slot.invalid.empty()) return std::unexpected(lost(slot, reason_of(slot.invalid)));
    if (slot.wal_status == "lost") {
        return std::unexpected(
            lost(slot, reason_of("wal_removed") + " (see max_slot_wal_keep_size)"));
    }
    if (slot.synced && standby) {
        Error error = retry(Error::Category::server,
                            fmt::format("slot {} is a copy that becomes readable when this standby "
                                        "is promoted",
                                        quote_name(slot.name)));
        error.hint = "connect to the primary";
        return std::unexpected(std::move(error));
    }
    return {};
}

Result<void> require_two_phase(const PostgresConfig& config, int server_version) {
    if (!config.two_phase || server_version >= kTwoPhaseSince) return {};
    return std::unexpected(
        stop(Error::Category::configuration,
             fmt::format("source.two_phase needs PostgreSQL 15 or later, and this is {}",
                         version_name(server_version)))
            .with_hint("set source.two_phase to false: prepared transactions are then sent when "
                       "they are committed"));
}

bool sends_prepared(const SlotState& slot, int server_version) noexcept {
    return slot.two_phase && server_version >= kTwoPhaseSince;
}

Error two_phase_refused(const SlotState& slot) {
    return stop(Error::Category::configuration,
                fmt::format("slot {} has two_phase on, so the server sends transactions that are "
                            "prepared before it is known whether they commit",
                            quote_name(slot.name)))
        .with_hint(
            "set source.two_phase to true; or PG_SLOT_NAME to the name of another slot; or, before "
            "18, where two_phase can't be turned off: " +
            begin_anew());
}

Error slot_in_use(const SlotState& slot) {
    const std::string who = slot.reader.empty() ? "" : fmt::format(" ({})", slot.reader);
    Error error = retry(Error::Category::server, fmt::format("slot {} is active for PID {}{}",
                                                             quote_name(slot.name), slot.pid, who));
    error.hint = read_by_pg_capture(slot)
                     ? "another instance of pg-capture follows it (pg-capture status shows its "
                       "progress): stop that one first, or set PG_SLOT_NAME to another name"
                     : fmt::format(
                           "stop the other reader, or end its session: SELECT "
                           "pg_terminate_backend({}); or set PG_SLOT_NAME to another name",
                           slot.pid);
    return error;
}

bool read_by_pg_capture(const SlotState& slot) noexcept {
    return slot.active && slot.reader.starts_with("pg-capture ");
}

}  // namespace pgc
