// What of the stream the configuration lets through, as Relations ask for it.
#pragma once

#include "postgres/options.h"
#include "postgres/relations/relations.h"

namespace pgc {

// `config` outlives it. `filter_tables`: the publication may hold tables that the filters leave
// out.
Selection selection_of(const PostgresConfig& config, bool filter_tables);

}  // namespace pgc
