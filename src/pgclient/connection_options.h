// The options that say how a server is reached: postgres.host to postgres.connect_timeout_secs.
#pragma once

#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "pgclient/connection.h"

namespace pgc {

// Heads section postgres; the source adds the names it uses there (postgres/options.h).
extern const OptionTable kPostgresConnectionOptions;

// Of settings that load() found no fault in. `files` must outlive the result.
ConnectionConfig connection_config(const Settings& settings, Files& files);

}  // namespace pgc
