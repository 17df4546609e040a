// The checks of publication and tables.
#pragma once

#include "postgres/check/findings.h"
#include "postgres/check/server_checks.h"
#include "postgres/link/blocking.h"
#include "postgres/options.h"

namespace pgc {

Result<void> check_tables(BlockingLink& link, const PostgresConfig& config, const RoleFacts& role,
                          Findings& findings);

}  // namespace pgc
