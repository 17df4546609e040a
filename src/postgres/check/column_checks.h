// The checks of columns that the configuration names for tables: as keys of messages, and to
// partition by.
#pragma once

#include "base/error.h"
#include "observe/findings.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"

namespace pgc {

// They must be there, be captured, and come with each old row. Nothing is asked where none are
// named.
[[nodiscard]] Result<void> check_named_columns(BlockingLink& link, const PostgresConfig& config,
                                               Findings& findings);

}  // namespace pgc
