// The PostgreSQL side of `pg-capture check`: every precondition of a stream, looked at
// without changing anything.
//
//   connection ─▶ server ─▶ role ─▶ publication and tables ─▶ slot ─▶ replication connection
//
// Goes on after a finding as far as it can; what can't be looked at any more is not
// listed. Each hint, applied as it stands, makes its finding pass.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/wait.h"
#include "observe/findings.h"
#include "pgclient/link.h"
#include "postgres/options.h"

namespace pgc {

// `instance`: what an instance that runs with the same configuration says of itself, a few words;
// empty where none answers. A slot that it follows is in good hands.
Findings check_postgres(const PostgresConfig& config, LinkFactory& links, const Clock& clock,
                        Waiter& waiter, std::string_view instance = {});

}  // namespace pgc
