#include "postgres/slots/hold.h"

#include <utility>

#include "pgclient/session.h"
#include "postgres/stream/statements.h"

namespace pgc {

Result<BlockingLink> hold_slot(const PostgresConfig& config, LinkFactory& links,
                               const Standing& standing, const Clock& clock, Waiter& waiter) {
    constexpr std::string_view kObjectInUse = "55006";
    auto link = BlockingLink::connect(links, LinkFactory::Use::replication, clock, waiter,
                                      config.connection.connect_timeout);
    if (!link) return link;
    // No feedback is sent from here, which the server would take for a dead peer.
    if (standing.server_version >= kWalSenderTimeoutSince) {
        if (auto set = link->ask("SET wal_sender_timeout = 0"); !set) {
            return std::unexpected(std::move(set.error()));
        }
    }
    const StreamPlan plan{.publications = {config.publication}, .slot = config.slot};
    auto begun = link->ask(start_replication(plan, standing.slot->confirmed));
    if (begun) return link;
    if (link->link().sqlstate() != kObjectInUse) return std::unexpected(std::move(begun.error()));
    const auto now = ask_standing(config, links, clock, waiter);
    if (!now || !now->slot || !now->slot->active) return std::unexpected(std::move(begun.error()));
    return std::unexpected(slot_in_use(*now->slot));
}

}  // namespace pgc
