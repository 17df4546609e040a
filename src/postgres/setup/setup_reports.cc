#include "postgres/setup/setup_reports.h"

#include <fmt/format.h>

#include <chrono>

#include "pgclient/quote.h"
#include "postgres/setup/server_facts.h"

namespace pgc {

void warn_of_server(const Logger& logger, const Link& replication, const ConnectionConfig& config,
                    int server_version) {
    if (!replication.encrypted() && !replication.local() && config.plain_text_to_others()) {
        logger.warning("the connection is not encrypted: data and password can be read on the way",
                       {{"hint", "set postgres.ssl_mode to verify-full"}});
    }
    for (const KnownBug& bug : known_bugs(server_version)) {
        logger.warning(
            "this version of the server has a bug that concerns us",
            {{"server", version_name(server_version)}, {"bug", bug.what}, {"hint", bug.hint}});
    }
}

void warn_of_slot(const Logger& logger, const SlotState& slot) {
    if (slot.wal_status == "unreserved") {
        logger.warning("the slot is about to be lost: it needs more WAL than the server keeps",
                       {{"slot", slot.name},
                        {"retained_bytes", slot.retained_bytes},
                        {"hint", "raise max_slot_wal_keep_size"}});
    }
}

std::string_view what_holds_up_slots(bool standby) noexcept {
    return standby ? "on the primary: SELECT pg_log_standby_snapshot();"
                   : "find them, then end them or wait: SELECT pid, xact_start, state "
                     "FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY "
                     "xact_start;";
}

Error no_connection_in_time(const ConnectionConfig& config) {
    using std::chrono::seconds;
    Error error =
        retry(Error::Category::connection,
              fmt::format("no connection within {} s",
                          std::chrono::duration_cast<seconds>(config.connect_timeout).count()));
    for (const PostgresHost& host : config.hosts) {
        error.where += (error.where.empty() ? "" : ", ") + to_string(host);
    }
    error.hint =
        "check PG_HOST, PG_PORT and the network between; or raise "
        "PG_CONNECT_TIMEOUT_SECS";
    return error;
}

Error slot_not_created(const std::string& slot, bool standby) {
    Error error = retry(Error::Category::server,
                        fmt::format("slot {} could not be created: transactions that were "
                                    "running are still not over",
                                    quote_name(slot)));
    error.hint = what_holds_up_slots(standby);
    return error;
}

}  // namespace pgc
