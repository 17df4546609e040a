// The PostgreSQL side of `pg-capture check`: every precondition of a stream, looked at
// without changing anything.
//
//   connection ─▶ server ─▶ role ─▶ publication and tables ─▶ slot ─▶ replication connection
//
// Goes on after a finding as far as it can; what can't be looked at any more is not
// listed. Each mend, applied as it stands, makes its finding pass.
#pragma once

#include "base/clock.h"
#include "base/wait.h"
#include "observe/findings.h"
#include "postgres/link/link.h"
#include "postgres/options.h"

namespace pgc {

Findings check_postgres(const PostgresConfig& config, LinkFactory& links, const Clock& clock,
                        Waiter& waiter);

}  // namespace pgc
