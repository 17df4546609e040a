// What every format promises the pipeline: changes in, records out.
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include "base/error.h"
#include "core/change.h"
#include "core/record.h"

namespace pgc {

class Format {
public:
    Format() = default;
    Format(const Format&) = delete;
    Format& operator=(const Format&) = delete;
    virtual ~Format() = default;

    // Appends the records of all changes of `batch`, in their order, to `out`. Plans are
    // compiled once for each relation slot. After an Error, which names table, column and
    // LSN but no value, `out` is not to be used.
    [[nodiscard]] virtual Result<void> encode(const Batch& batch, RecordBatch& out) = 0;
};

}  // namespace pgc
