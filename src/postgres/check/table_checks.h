// The checks of publication and tables.
#pragma once

#include "base/error.h"
#include "observe/findings.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"

namespace pgc {

// A slot that is there finds no publication that is made after it.
[[nodiscard]] Result<void> check_tables(BlockingLink& link, const PostgresConfig& config,
                                        const ServerFacts& facts, bool slot_is_there,
                                        Findings& findings);

}  // namespace pgc
