// The rows of one chunk: from COPY's messages into a batch, and the key of the last of them.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/change.h"
#include "core/value.h"
#include "pgclient/link.h"
#include "postgres/snapshot/copy_rows.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

class ChunkRows {
public:
    // `shape` outlives it, and stays as it is meanwhile.
    explicit ChunkRows(const TableShape& shape);

    struct Read {
        std::size_t rows = 0;
        Key last{};         // of a table with a key: the last row's
        bool more = false;  // more may be at hand
        bool over = false;  // no more come: what the server says of that is its next answer
    };
    // Requires a link in COPY. Appends rows that have arrived; the batch keeps the messages they
    // lie in. What is wrong with them otherwise, as one clause.
    [[nodiscard]] Result<Read, std::string> read(Link& link, Batch& batch, std::size_t max_changes,
                                                 std::size_t max_bytes);

private:
    Result<CopyRows::Found, CopyRows::Fault> decode(const CopyMessage& message, Batch& batch);
    std::optional<Key> key_of(const Cell* row);

    const TableShape& shape_;
    CopyRows rows_;
    std::vector<Cell> cells_;
    std::vector<CopyMessage> messages_;  // scratch
    Scratch scratch_;
};

}  // namespace pgc
