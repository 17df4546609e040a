// The options of `file.retention`.
#pragma once

#include "config/option.h"
#include "config/settings.h"
#include "sink/file/retention.h"

namespace pgc {

extern const OptionTable kFileRetentionOptions;

// Of settings that load() found no fault in.
FileRetentionConfig file_retention_config(const Settings& settings);

}  // namespace pgc
