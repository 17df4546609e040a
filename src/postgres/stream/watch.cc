#include "postgres/stream/watch.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

#include "pgclient/quote.h"
#include "postgres/costly_steps.h"

namespace pgc {

namespace {

using Datum = std::optional<std::string>;

std::int64_t read_number(const Datum& field) {
    std::int64_t value = 0;
    if (field) std::from_chars(field->data(), field->data() + field->size(), value);
    return value;
}

Lsn read_lsn(const Datum& field) {
    return field ? parse_lsn(*field).value_or(Lsn{}) : Lsn{};
}

bool read_flag(const Datum& field) {
    return field && *field == "t";
}

}  // namespace

Result<SlotHealth> read_slot_health(const Rows& rows) {
    constexpr std::size_t columns = 13;
    if (rows.rows.size() != 1 || rows.rows[0].size() != columns) {
        return std::unexpected(
            retry(Error::Category::server, "the answer about the slot has an unexpected shape"));
    }
    const std::vector<Datum>& row = rows.rows[0];
    SlotHealth health;
    health.slot_exists = read_flag(row[0]);
    health.active = read_flag(row[1]);
    health.restart = read_lsn(row[2]);
    health.confirmed = read_lsn(row[3]);
    health.wal_status = row[4].value_or("");
    if (row[5]) health.safe_wal_bytes = read_number(row[5]);
    health.invalidation = row[6].value_or("");
    health.publication_exists = read_flag(row[7]);
    health.server_end = read_lsn(row[8]);
    health.retained_bytes = read_number(row[9]);
    health.walsender_waits_for = row[10].value_or("");
    if (row[11]) health.inactive_for = std::chrono::seconds{read_number(row[11])};
    health.idle_timeout = std::chrono::seconds{read_number(row[12])};
    return health;
}

namespace {

Error slot_is_gone(std::string what, const StreamPlan& plan, bool may_replace, std::string hint) {
    if (may_replace) {
        return retry(Error::Category::server, std::move(what) + "; another one is made")
            .at("slot " + plan.slot);
    }
    return stop(Error::Category::position, std::move(what))
        .at("slot " + plan.slot)
        .with_hint(std::move(hint));
}

}  // namespace

Result<void> judge(const SlotHealth& health, const StreamPlan& plan, bool may_replace) {
    if (!health.slot_exists) {
        return std::unexpected(
            slot_is_gone("the replication slot was dropped", plan, may_replace, begin_anew()));
    }
    if (!health.invalidation.empty() || health.wal_status == "lost") {
        const std::string why = health.invalidation.empty() ? "wal_removed" : health.invalidation;
        const std::string_view setting = why == "idle_timeout"
                                             ? "turn idle_replication_slot_timeout off"
                                             : "raise max_slot_wal_keep_size";
        return std::unexpected(slot_is_gone(
            "the server has given up the replication slot: " + why, plan, may_replace,
            fmt::format("{}; to keep it from happening again, {}", begin_anew(), setting)));
    }
    if (!health.publication_exists) {
        return std::unexpected(
            stop(Error::Category::position, "the publication was dropped")
                .at(fmt::format("publication {}", fmt::join(plan.publications, ", ")))
                .with_hint(fmt::format("CREATE PUBLICATION {} …; {}", quote_name(plan.publication),
                                       begin_anew())));
    }
    return {};
}

Result<void> judge_start(const SlotHealth& health, const StreamPlan& plan, Lsn from) {
    if (health.confirmed <= from) return {};
    return std::unexpected(
        retry(Error::Category::server,
              fmt::format("the slot was moved on to {} while we asked for {}: the server "
                          "skips what is in between",
                          to_string(health.confirmed), to_string(from)))
            .at("slot " + plan.slot)
            .with_hint("if another instance of this pipeline has taken over, nothing: the next "
                       "attempt continues from what it stored; else that attempt says what to do"));
}

SlotRisk risk_of(const SlotHealth& health) noexcept {
    constexpr std::int64_t kShare = 5;
    if (health.wal_status == "unreserved") return SlotRisk::now;
    if (health.inactive_for && health.idle_timeout > Duration{0} &&
        *health.inactive_for >= health.idle_timeout / kShare * (kShare - 1)) {
        return SlotRisk::unread;
    }
    // What is kept and what may still come make the limit, whenever it was set.
    if (const auto& safe = health.safe_wal_bytes;
        safe && *safe < (*safe + health.retained_bytes) / kShare) {
        return SlotRisk::near;
    }
    return health.wal_status == "extended" ? SlotRisk::large : SlotRisk::none;
}

void report(SlotRisk risk, const SlotHealth& health, const Logger& logger) {
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    const auto retained = health.retained_bytes;
    switch (risk) {
        case SlotRisk::none:
            logger.info("the slot is out of danger", {{"retained_bytes", retained}});
            return;
        case SlotRisk::large:
            logger.warning(
                "the slot keeps more log than max_wal_size",
                {{"retained_bytes", retained},
                 {"hint",
                  "fix what pg-capture status says is waited for, or end a transaction that is "
                  "open "
                  "for long: SELECT pid, xact_start, state FROM pg_stat_activity ORDER BY "
                  "xact_start LIMIT 5; the server's disk fills otherwise"}});
            return;
        case SlotRisk::near:
            logger.warning(
                "the slot nears max_slot_wal_keep_size",
                {{"retained_bytes", retained},
                 {"bytes_left", health.safe_wal_bytes.value_or(0)},
                 {"hint",
                  "before it is lost: ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT "
                  "pg_reload_conf(); or fix what pg-capture status says is waited for"}});
            return;
        case SlotRisk::now:
            logger.error(
                "the server may drop the slot at its next checkpoint",
                {{"retained_bytes", retained},
                 {"hint",
                  "at once: ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT "
                  "pg_reload_conf(); then fix what pg-capture status says is waited for"}});
            return;
        case SlotRisk::unread:
            logger.warning(
                "the slot nears idle_replication_slot_timeout",
                {{"unread_for_s", duration_cast<seconds>(*health.inactive_for).count()},
                 {"timeout_s", duration_cast<seconds>(health.idle_timeout).count()},
                 {"hint",
                  "before it is lost: ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT "
                  "pg_reload_conf()"}});
            return;
    }
}

}  // namespace pgc
