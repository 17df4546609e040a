// Which row of a snapshot of everything is the first and which the last, of each table and of all
// (core/change.h: SnapshotMark), in the order in which rows are sent.
//
// That a row is the last shows only when nothing follows. So of each table that is being read one
// row is kept back, whichever part of it was read last: of a table that was read, until another
// table's row has come; in the end, until it is known that none will.
//
//   keep() ─▶ open, one of each table ─┬─ another row of the table: sent before it
//                                      ├─ table_read(): read, and sent as last_of_table before
//                                      │  the next row of another one
//                                      ├─ forget(): its chunk was broken off; read again
//                                      └─ close(): what is left is sent, the last as `last`
//                                         unless more comes in another group
//
// What is kept back counts as not read: it is not durable, and after a crash it is read again. A
// table is here what its rows are shown as: partitions may be one.
//
// Costs a copy of a row's cells for each batch. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "core/change.h"
#include "postgres/snapshot/chunk_rows.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/rows_in_flight.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

class MarkedRows {
public:
    // `begun`: some row was sent, of these tables (as they are shown). Forgets what is kept back.
    void begin_group(bool begun, std::set<Oid> tables);
    void forget_all();

    // Of a table that is read, before its rows are put into the empty batch: leaves room for those
    // that come before them, and returns for how many.
    std::size_t make_room(Batch& batch, const TableCopyState& table) const;
    // Fills the room, keeps the last row back, and marks what is in the batch.
    std::vector<SentRows> put(Batch& batch, std::size_t room,
                              const std::shared_ptr<TableCopyState>& table, std::size_t part,
                              ChunkRows::Read read);

    // The chunk of a part is over, though the part is not: what is kept back of it comes again,
    // unless nothing else of the part was sent.
    void forget(TableCopyState& table, std::size_t part);
    // All of a part was read. True: its last row is kept back, and says so itself when it is sent.
    bool part_ended(const TableCopyState& table, std::size_t part);
    // No other row of what is shown as this follows.
    void table_read(Oid shown);
    // `all`: no other row follows. Else some do, in another group: what is kept back of tables that
    // were not read to their end is sent as any row is.
    void close(bool all);

    // Rows are to be sent by themselves. At most so many of them; the rest is ready still.
    bool ready() const noexcept { return !ready_.empty(); }
    std::vector<SentRows> put_ready(Batch& batch, std::size_t max);

private:
    struct Held {
        std::shared_ptr<TableCopyState> table;
        std::size_t part = 0;
        KeptRow row;
        Key key{};     // none: the table has none
        Key before{};  // of the row of its part that was sent before it; none: not known
        SnapshotMark mark = SnapshotMark::within;
        bool ends_part = false;
    };

    SnapshotMark first_mark(Oid shown);
    SentRows give(Held held, Batch& batch, Change& change);

    bool begun_ = false;
    std::set<Oid> tables_;      // of which a row was sent
    std::map<Oid, Held> open_;  // by what the table is shown as
    std::deque<Held> read_;     // the last ones of their tables
    std::deque<Held> ready_;
};

}  // namespace pgc
