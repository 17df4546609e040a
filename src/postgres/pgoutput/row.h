// Insert, Update and Delete: the messages that come by the million.
//
//   Insert 'I' [Int32 xid] Int32 relation                     'N' TupleData
//   Update 'U' [Int32 xid] Int32 relation ['K'|'O' TupleData] 'N' TupleData
//   Delete 'D' [Int32 xid] Int32 relation  'K'|'O' TupleData
//
//   TupleData: Int16 count, then for each column a kind byte; 't' (text) and 'b' (binary)
//   are followed by an Int32 length and that many bytes, 'n' (null) and 'u' (unchanged
//   TOASTed value, not sent) by nothing.
//
// The xid is there only inside a stream block (protocol 2+, between Stream Start and Stream
// Stop). 'O' is a whole old row (REPLICA IDENTITY FULL), 'K' one that has only its identity:
// the server then sends null for all other columns. Identity columns can't be null, so
// every null of a 'K' row becomes Cell::State::absent.
//
// Two steps, because the cells' number is the relation's:
//   const auto head = peek_row(message, in_stream_block);   // which table, which tuples
//   decode_row(*head, before, after);                       // into the caller's cells
//
// Nothing is allocated; cells point into the message. After an error they mean nothing.
#pragma once

#include <span>
#include <string_view>

#include "base/byte_cursor.h"
#include "base/error.h"
#include "base/ids.h"
#include "core/change.h"
#include "postgres/pgoutput/decode_error.h"

namespace pgc::pgoutput {

struct RowHead {
    Operation operation = Operation::insert;  // insert, update or remove
    bool has_old = false;
    bool old_is_full = false;  // of the old row: whole, not only its identity
    bool has_new = false;
    Oid relation;
    Xid xid;                  // of the (sub)transaction; only inside a stream block
    std::string_view tuples;  // from the first TupleData on
};

// Requires a message whose first byte is I, U or D; any other is refused.
[[nodiscard]] Result<RowHead, DecodeError> peek_row(std::string_view message,
                                                    bool in_stream_block) noexcept;

// Fills `before` if head.has_old and `after` if head.has_new; each must then have one cell
// for each column of the relation. The other may be empty and is not touched.
[[nodiscard]] Result<void, DecodeError> decode_row(const RowHead& head, std::span<Cell> before,
                                                   std::span<Cell> after) noexcept;

// One TupleData. A null column becomes `null_state`.
[[nodiscard]] Result<void, DecodeError> decode_tuple(
    ByteCursor& in, std::span<Cell> cells, Cell::State null_state = Cell::State::null) noexcept;

}  // namespace pgc::pgoutput
