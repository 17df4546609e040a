// The two links of a source, connected side by side: one for SQL, one for replication.
//
// The SQL link has to come through first: what the server answers there says more about what is
// wrong (a role that may not log in, a server that is too old), so an Error of the other waits.
//
// Threads: one, the owner's.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/wait.h"
#include "pgclient/link.h"

namespace pgc {

class LinkPair {
public:
    [[nodiscard]] Result<void> make(LinkFactory& links);

    // Requires make(). Goes on with both; true once the SQL link is connected.
    [[nodiscard]] Result<bool> connect_sql();
    // Goes on with the replication link, while the other is in use.
    void keep_connecting();
    bool replication_is_ready() const noexcept {
        return !replication_error_ && replication_waits_ == Link::Connecting::done;
    }
    // Likewise; or the Error that was kept back.
    [[nodiscard]] Result<bool> replication_connected();

    void wants_of_sql(Wants& wants) const;
    void wants_of_replication(Wants& wants) const;

    std::unique_ptr<Link> sql;
    std::unique_ptr<Link> replication;

private:
    Link::Connecting sql_waits_ = Link::Connecting::wait_readable;
    Link::Connecting replication_waits_ = Link::Connecting::wait_readable;
    std::optional<Error> replication_error_;
};

}  // namespace pgc
