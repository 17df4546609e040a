// The checks that need no table: server, settings, role, slot. Each appends its findings.
#pragma once

#include "base/error.h"
#include "observe/findings.h"
#include "postgres/link/blocking.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"

namespace pgc {

// Asked once; `replication` counts managed services' substitutes for the attribute too.
[[nodiscard]] Result<ServerFacts> ask_server(BlockingLink& link);

void check_version(const ServerFacts& facts, Findings& findings);
void check_settings(const ServerFacts& facts, Findings& findings);
void check_role(const ServerFacts& facts, Findings& findings);
// The slot, and whether the server has room for it if it is not there yet.
[[nodiscard]] Result<void> check_slot(BlockingLink& link, const PostgresConfig& config,
                                      const ServerFacts& facts, Findings& findings);

}  // namespace pgc
