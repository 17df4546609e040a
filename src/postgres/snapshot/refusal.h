// What it means for a chunk that the server refuses it, by SQLSTATE and by what was asked.
//
// Decided here and nowhere else: whether the table is to be read in the next group, the chunk goes
// on as text, what was read of it counts, or somebody has to do something.
//
// Pure. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

enum class Refusal : std::uint8_t {
    snapshot_lost,  // the exported snapshot is not there any more
    too_long,       // a time limit ended the statement: what was read of the chunk counts
    no_binary,      // some value has no binary form: the table is read as text from here on
    altered,        // the table is not what it was: it is read in the next group
    condition,      // the condition that somebody gave with the snapshot fails
    table,          // whatever else is wrong with the table
};

struct RefusedChunk {
    enum class At : std::uint8_t {
        opening,
        condition,   // somebody's condition was tried
        inspection,  // the catalog was asked about the table
        rows,        // COPY
    };
    std::string_view sqlstate;
    At at = At::opening;
    bool has_chunk = false;
    std::uint64_t rows_read = 0;  // of it
    const TableCopyState& table;
};

Refusal judge(const RefusedChunk& refused);

// The Error that ends the table's snapshot. Requires: Refusal::condition or Refusal::table.
Error failure_of(Refusal refusal, const RefusedChunk& refused, Error error,
                 std::string_view username);

// The transaction that exported it is over.
bool indicates_lost_snapshot(std::string_view sqlstate) noexcept;

}  // namespace pgc
