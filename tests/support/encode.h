// A whole batch through a format at once, for tests of formats that don't wait.
#pragma once

#include <utility>

#include "core/format.h"

namespace pgc::test {

// A refused change is an Error here; records of those before it are in `out`.
inline Result<void> encode_all(Format& format, const Batch& batch, RecordBatch& out) {
    auto encoded = format.encode(batch, 0, out);
    if (!encoded) return std::unexpected(std::move(encoded.error()));
    if (encoded->why == Encoded::Why::refused) return std::unexpected(std::move(encoded->error));
    if (encoded->why == Encoded::Why::waits || encoded->next != batch.changes.size()) {
        return std::unexpected(stop(Error::Category::internal, "the format did not go on"));
    }
    return {};
}

}  // namespace pgc::test
