// What makes the key of messages of tables without a primary key, where a unique index may.
#pragma once

#include "base/error.h"
#include "observe/findings.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"

namespace pgc {

// One finding says which columns do; a table whose unique indexes can't has one of its own. Nothing
// is asked where keys are of other columns. A table without a unique index is no finding.
[[nodiscard]] Result<void> check_unique_keys(BlockingLink& link, const PostgresConfig& config,
                                             Findings& findings);

}  // namespace pgc
