#include "postgres/check/check.h"

#include "pgclient/blocking.h"
#include "postgres/check/column_checks.h"
#include "postgres/check/server_checks.h"
#include "postgres/check/table_checks.h"
#include "postgres/check/unique_key_checks.h"

namespace pgc {
namespace {

using Level = Finding::Level;

Finding blocked(std::string_view id, const Error& error) {
    return {.id = id,
            .level = Level::blocking,
            .subject = error.where.empty() ? "server" : error.where,
            .message = error.what,
            .hint = error.hint};
}

// A question that failed is a finding too, and the end of its chapter.
void note(const Result<void>& outcome, Findings& findings) {
    if (!outcome) findings.push_back(blocked("query", outcome.error()));
}

void check_connection(const PostgresConfig& config, BlockingLink& link, Findings& findings) {
    const bool plain = config.connection.plain_text_to_others() && !link.link().encrypted() &&
                       !link.link().local();
    findings.push_back({.id = "connection",
                        .level = plain ? Level::warning : Level::ok,
                        .subject = "connection",
                        .message = link.link().encrypted() ? "established, encrypted"
                                   : plain ? "established, in plain text over the network"
                                           : "established",
                        .hint = plain ? "set postgres.ssl_mode to verify-full" : ""});
}

// The slot's reader connects in another way, which pg_hba.conf rules apart.
void check_replication(LinkFactory& links, const Clock& clock, Waiter& waiter, Duration limit,
                       Findings& findings) {
    auto link = BlockingLink::connect(links, LinkFactory::Use::replication, clock, waiter, limit);
    if (!link) {
        findings.push_back(blocked("replication_connection", link.error()));
        return;
    }
    if (auto answer = link->ask("IDENTIFY_SYSTEM"); !answer) {
        findings.push_back(blocked("replication_connection", answer.error()));
        return;
    }
    findings.push_back({.id = "replication_connection",
                        .level = Level::ok,
                        .subject = "replication connection",
                        .message = "established"});
}

}  // namespace

Findings check_postgres(const PostgresConfig& config, LinkFactory& links, const Clock& clock,
                        Waiter& waiter, std::string_view instance) {
    Findings findings;
    const Duration limit = config.connection.connect_timeout;
    auto link = BlockingLink::connect(links, LinkFactory::Use::sql, clock, waiter, limit);
    if (!link) {
        findings.push_back(blocked("connection", link.error()));
        return findings;
    }
    check_connection(config, *link, findings);
    const auto facts = ask_server(*link);
    if (!facts) {
        findings.push_back(blocked("query", facts.error()));
        return findings;
    }
    check_version(*facts, findings);
    if (facts->version < kOldestServer) return findings;
    const auto slot = ask_slot(*link, config, *facts);
    if (!slot) {
        findings.push_back(blocked("query", slot.error()));
        return findings;
    }
    check_settings(*facts, *slot && read_by_pg_capture(**slot), findings);
    check_role(*facts, findings);
    note(check_two_phase(*link, config, *facts, findings), findings);
    note(check_tables(*link, config, *facts, slot->has_value(), findings), findings);
    note(check_named_columns(*link, config, findings), findings);
    note(check_unique_keys(*link, config, findings), findings);
    check_slot(*slot, config, *facts, instance, findings);
    // Without these it can only fail, and that is reported already.
    const bool may = facts->superuser || facts->replication;
    if (may && facts->senders < facts->senders_max) {
        check_replication(links, clock, waiter, limit, findings);
    }
    return findings;
}

}  // namespace pgc
