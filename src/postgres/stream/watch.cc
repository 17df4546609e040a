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
    constexpr std::size_t columns = 10;
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
    return health;
}

Result<void> judge(const SlotHealth& health, const StreamPlan& plan) {
    if (!health.slot_exists) {
        return std::unexpected(stop(Error::Category::position, "the replication slot was dropped")
                                   .at("slot " + plan.slot)
                                   .with_hint(begin_anew()));
    }
    if (!health.invalidation.empty() || health.wal_status == "lost") {
        const std::string why = health.invalidation.empty() ? "wal_removed" : health.invalidation;
        return std::unexpected(
            stop(Error::Category::position, "the server has given up the replication slot: " + why)
                .at("slot " + plan.slot)
                .with_hint(begin_anew() + "; to keep it from happening again, raise "
                                          "max_slot_wal_keep_size"));
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

SlotRisk risk_of(const SlotHealth& health, const StreamPlan& plan) noexcept {
    if (health.wal_status == "unreserved") return SlotRisk::now;
    if (!health.safe_wal_bytes || plan.max_slot_wal_keep_bytes <= 0) return SlotRisk::none;
    return *health.safe_wal_bytes < plan.max_slot_wal_keep_bytes / 5 ? SlotRisk::near
                                                                     : SlotRisk::none;
}

}  // namespace pgc
