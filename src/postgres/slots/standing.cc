#include "postgres/slots/standing.h"

#include <utility>

#include "pgclient/blocking.h"
#include "postgres/setup/identity.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

Result<void> ask_identity(BlockingLink& link, SourceIdentity& identity) {
    const auto system = link.ask("IDENTIFY_SYSTEM");
    if (!system) return std::unexpected(system.error());
    if (auto read = read_system(*system, identity); !read) return read;
    if (identity.timeline <= 1) return {};
    const auto history = link.ask(timeline_history_command(identity.timeline));
    // The file may have been cleared away, as source_setup.h has it.
    if (history) identity.history = read_history(*history);
    return {};
}

Result<void> ask_slot(BlockingLink& link, const std::string& name, Standing& standing) {
    const auto rows = link.ask(server_facts_query());
    if (!rows) return std::unexpected(rows.error());
    const auto facts = read_server_facts(*rows, link.link().server_version());
    if (!facts) return std::unexpected(facts.error());
    standing.server_version = facts->version;
    standing.standby = facts->standby;
    const auto found = link.ask(slots_query(facts->version, name));
    if (!found) return std::unexpected(found.error());
    auto slots = read_slots(*found);
    if (!slots) return std::unexpected(std::move(slots.error()));
    standing.identity.slot = name;
    standing.identity.slot_is_gone = slots->empty();
    if (slots->empty()) return {};
    standing.slot = std::move(slots->front());
    standing.identity.slot_confirmed = standing.slot->confirmed;
    return {};
}

}  // namespace

Result<void> Standing::sound() const {
    if (!slot) return {};
    if (auto good = require_sound(*slot, identity.database, standby); !good) return good;
    if (!two_phase && sends_prepared(*slot, server_version) &&
        server_version < kAlterTwoPhaseSince) {
        return std::unexpected(two_phase_refused(*slot));
    }
    return {};
}

Result<Standing> ask_standing(const PostgresConfig& config, LinkFactory& links, const Clock& clock,
                              Waiter& waiter) {
    Standing standing;
    standing.two_phase = config.two_phase;
    const Duration limit = config.connection.connect_timeout;
    // The other connection knows better reasons for a refusal (source_setup.h).
    auto sql = BlockingLink::connect(links, LinkFactory::Use::sql, clock, waiter, limit);
    if (!sql) return std::unexpected(std::move(sql.error()));
    if (auto asked = ask_slot(*sql, config.slot, standing); !asked) {
        return std::unexpected(std::move(asked.error()));
    }
    auto replication =
        BlockingLink::connect(links, LinkFactory::Use::replication, clock, waiter, limit);
    if (!replication) return std::unexpected(std::move(replication.error()));
    if (auto asked = ask_identity(*replication, standing.identity); !asked) {
        return std::unexpected(std::move(asked.error()));
    }
    return standing;
}

}  // namespace pgc
