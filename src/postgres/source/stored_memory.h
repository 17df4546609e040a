// What the source has stored with the position: Source::memory().
#pragma once

#include <optional>
#include <string>

#include "observe/log.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/options.h"
#include "postgres/relations/source_carry_over.h"

namespace pgc {

// A line of relations/lineages.h, and one of catalog/covered_tables.h. What there is no room for is
// said once.
std::string stored_memory(SourceCarryOver& carry_over, const PostgresConfig& config,
                          const std::optional<KnownTables>& captured, const Logger& logger);

}  // namespace pgc
