// The options of `sink: file`.
#pragma once

#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "pgclient/connection.h"
#include "sink/file/config.h"

namespace pgc {

extern const OptionTable kFileSinkOptions;

// Of settings that load() found no fault in. What is in the files (extension, heading) is left to
// whoever knows the format.
FileSinkConfig file_sink_config(const Settings& settings, std::string pipeline);

// The database of the registry: `source`, but for what is configured otherwise. `files` must
// outlive the result.
ConnectionConfig file_registry_connection(const Settings& settings, const ConnectionConfig& source,
                                          Files& files);
// It is the one that is captured.
bool registry_is_in(const ConnectionConfig& source, const ConnectionConfig& registry);

}  // namespace pgc
