#include "postgres/setup/link_pair.h"

#include <utility>

namespace pgc {
namespace {

void connecting(Wants& wants, const Link& link, Link::Connecting waits) {
    if (waits == Link::Connecting::wait_writable) {
        wants.writable(link.fd());
    } else if (waits == Link::Connecting::wait_readable) {
        wants.readable(link.fd());
    }
}

}  // namespace

Result<void> LinkPair::make(LinkFactory& links) {
    for (const auto& [use, link] : {std::pair{LinkFactory::Use::sql, &sql},
                                    std::pair{LinkFactory::Use::replication, &replication}}) {
        auto made = links.make(use);
        if (!made) return std::unexpected(std::move(made.error()));
        *link = std::move(*made);
    }
    return {};
}

Result<bool> LinkPair::connect_sql() {
    keep_connecting();
    const auto state = sql->connect();
    if (!state) return std::unexpected(state.error());
    sql_waits_ = *state;
    return sql_waits_ == Link::Connecting::done;
}

Result<bool> LinkPair::replication_connected() {
    if (replication_error_) return std::unexpected(std::move(*replication_error_));
    return replication_is_ready();
}

void LinkPair::keep_connecting() {
    if (replication_error_ || replication_waits_ == Link::Connecting::done) return;
    auto state = replication->connect();
    if (!state) {
        replication_error_ = std::move(state.error());
    } else {
        replication_waits_ = *state;
    }
}

void LinkPair::wants_of_sql(Wants& wants) const {
    connecting(wants, *sql, sql_waits_);
}

void LinkPair::wants_of_replication(Wants& wants) const {
    if (!replication_error_) connecting(wants, *replication, replication_waits_);
}

}  // namespace pgc
