// Fetches the values of one row that the stream did not send (TOAST mode "reselect").
//
// One question for each such row, over the SQL link: it costs a round trip a row, and the
// stream waits for it. The values are those of now, not of the change: they are marked. A
// row that is gone, and a question the server refuses, leave the values unknown.
//
// The row's cells are only valid until its batch is handed on: everything needed is
// copied. Key values go in text form, so the stream must not be binary in this mode.
#pragma once

#include <cstdint>
#include <vector>

#include "pgclient/query_runner.h"
#include "postgres/stream/assembler.h"

namespace pgc {

struct Reselection {
    std::vector<std::uint32_t> places;  // the columns asked for
    Query query;
};

// Requires that every cell of the key is text.
Reselection reselection(const Assembler::Wanted& wanted);

// What the answer means for the row.
Reselected reselected(const Reselection& asked, const Rows& rows);

}  // namespace pgc
