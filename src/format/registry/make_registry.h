// The schema registry over real HTTP, with all it needs: for whoever makes formats, which it
// outlives.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "format/registry/config.h"
#include "format/registry/registry.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace pgc {

// The clock and the metrics outlive it. `seed`: of the pauses' jitter. Requires: the configuration
// has an address.
std::unique_ptr<SchemaRegistry> make_schema_registry(RegistryConfig config, const Clock& clock,
                                                     Metrics& metrics, Logger logger,
                                                     std::uint64_t seed);

}  // namespace pgc
