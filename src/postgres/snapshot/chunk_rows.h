// The rows of one chunk: from COPY's messages into a batch, and the key of the last of them.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <memory>
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

// A row that is in no batch yet.
struct KeptRow {
    std::vector<Cell> cells;
    std::size_t bytes = 0;
    std::unique_ptr<void, Link::Release> message;  // in which they lie

    // Makes `change`, which is of the batch, this row.
    void give(Batch& batch, Change& change, const Relation& relation) &&;
};

class ChunkRows {
public:
    // `shape` outlives it, and stays as it is meanwhile.
    explicit ChunkRows(const TableShape& shape);

    struct Read {
        std::size_t rows = 0;  // the one that is kept back among them
        Key last{};            // of a table with a key: the last row's
        bool more = false;     // more may be at hand
        bool over = false;     // no more come: what the server says of that is its next answer
        std::optional<KeptRow> kept{};  // the last one, if it was to be kept back
        Key before{};                   // of the one before it, if there is one
    };
    // Requires a link in COPY. Appends rows that have arrived; the batch keeps the messages they
    // lie in. What is wrong with them otherwise, as one clause. `keep_last`: the last of them is
    // not appended.
    [[nodiscard]] Result<Read, std::string> read(Link& link, Batch& batch, std::size_t max_changes,
                                                 std::size_t max_bytes, bool keep_last = false);

private:
    Result<void, std::string> find_keys(Batch& batch, Read& read);
    KeptRow take_last(Batch& batch, const CopyMessage& message, Link::Release release) const;
    Result<CopyRows::Found, CopyRows::Fault> decode(const CopyMessage& message, Batch& batch);
    std::optional<Key> key_of(const Cell* row);

    const TableShape& shape_;
    CopyRows rows_;
    std::vector<Cell> cells_;
    std::vector<CopyMessage> messages_;  // scratch
    Scratch scratch_;
};

}  // namespace pgc
