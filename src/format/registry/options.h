// The options of the schema registry: format.registry.*.
#pragma once

#include "base/file.h"
#include "config/option.h"
#include "config/settings.h"
#include "format/registry/config.h"

namespace pgc {

extern const OptionTable kRegistryOptions;

// Of settings that load() found no fault in; `files` must outlive the result.
RegistryConfig registry_config(const Settings& settings, Files& files);

}  // namespace pgc
