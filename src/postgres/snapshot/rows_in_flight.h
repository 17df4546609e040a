// Rows of a group that were read, until what is remembered of them is stored.
//
//   read ──seal()──▶ on their way ──durable()──▶ remembered ──kept()──▶ stored()
//         (C - 1, n)                  as the tables' own, by marks: so far a part was read
//
// How many are between the first and the last bounds what a crash makes us read again.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/lsn.h"
#include "core/change.h"
#include "core/position.h"
#include "core/snapshot.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

// Rows of one part of a table, one after the other in a batch.
struct SentRows {
    std::shared_ptr<TableCopyState> table;
    std::size_t part = 0;
    std::size_t rows = 0;
    Key upto{};              // the last one's; none: the table has none
    bool ends_part = false;  // nothing of the part follows
};

class RowsInFlight {
public:
    // The next rows are as of this place: the byte before the snapshot's.
    void set_place(Lsn at) noexcept { at_ = at; }
    Lsn place() const noexcept { return at_; }
    // Of a group, at that place.
    void begin_group();

    // Numbers the rows of a batch, which are those of `sent`, and makes it one of kSnapshotLane.
    void seal(Batch& batch, std::vector<SentRows> sent, WallTime taken_at);
    // The last row of a part was sent.
    void part_ended(const std::shared_ptr<TableCopyState>& table, std::size_t part);

    // True when that changes what is left of some table.
    bool durable(Position position);
    Position durable_to() const noexcept { return durable_to_; }
    // Follows each durable(): what is left of the tables has this revision now.
    void kept(bool changed, std::uint64_t revision);
    // What was left at this revision is stored.
    void stored(std::uint64_t revision);

    // None is on its way.
    bool settled() const noexcept { return marks_.empty(); }
    // Read and not stored.
    std::uint64_t unstored() const noexcept { return ordinal_ - stored_ordinal_; }
    // Durable and not stored; nothing while no revision waits for the store.
    std::optional<std::uint64_t> to_be_stored() const noexcept {
        if (kept_.empty()) return std::nullopt;
        return kept_.back().ordinal - stored_ordinal_;
    }

private:
    // Durable from `at` on: rows of a part up to a key, or all of it.
    struct Mark {
        Position at;
        std::shared_ptr<TableCopyState> table;
        std::size_t part = 0;
        Key key{};
        bool whole = false;
    };
    struct Kept {
        std::uint64_t revision = 0;
        std::uint64_t ordinal = 0;  // durable at this revision
    };

    Lsn at_;
    std::uint64_t ordinal_ = 0;         // of the group
    std::uint64_t stored_ordinal_ = 0;  // likewise
    Position read_to_;                  // the last batch's end
    Position durable_to_;
    std::deque<Mark> marks_;
    std::deque<Kept> kept_;  // revisions not stored yet
};

}  // namespace pgc
