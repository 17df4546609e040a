// The checks of publication and tables.
#pragma once

#include "base/error.h"
#include "observe/findings.h"
#include "postgres/link/blocking.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"

namespace pgc {

[[nodiscard]] Result<void> check_tables(BlockingLink& link, const PostgresConfig& config,
                                        const ServerFacts& facts, Findings& findings);

}  // namespace pgc
