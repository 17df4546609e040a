// After each removal of a row with a key a record with the same key, ordinal and partition, and no
// value: in a compacted topic it takes the key's older records away in the end.
#pragma once

#include <cstddef>

#include "core/record.h"

namespace pgc {

// Of the records from index `first` on.
void add_tombstones(RecordBatch& batch, std::size_t first);

}  // namespace pgc
