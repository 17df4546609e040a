// How a connection of libpq's begins: what it is given to log in with, and nothing beside that.
#pragma once

#include <libpq-fe.h>

#include <memory>

#include "base/error.h"
#include "pgclient/connection.h"
#include "pgclient/parameters.h"

namespace pgc {

struct EndLibpqConnection {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using LibpqConnection = std::unique_ptr<PGconn, EndLibpqConnection>;

// As they are now: their files are read again.
[[nodiscard]] Result<Credentials> read_credentials(const ConnectionConfig& config);

// Does not block. Null: no memory was left; whether it has failed already, it says itself.
LibpqConnection begin_libpq_connection(const Parameters& parameters, const Credentials& credentials,
                                       bool has_ssl_key);

}  // namespace pgc
