// schema_change.
#pragma once

#include <cstdint>

#include "base/words.h"

namespace pgc {

// What becomes of a schema that the registry refuses.
enum class SchemaChange : std::uint8_t {
    evolve,  // an incompatible one is registered, with the subject's level at NONE meanwhile
    pause,   // the stream waits until the registry accepts it
    fail,    // its changes can't be written
};
inline constexpr auto kSchemaChanges = words_for<SchemaChange>({{"evolve", SchemaChange::evolve},
                                                                {"pause", SchemaChange::pause},
                                                                {"fail", SchemaChange::fail}});

}  // namespace pgc
