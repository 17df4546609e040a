// What stands in the place of a change that can't be written: a record for the dead letters that
// says what was wrong and where, as the error does, and holds no value of the row. Headers:
//   pgc.table   whose row it is of; none of a logical message
//   pgc.reason  what was wrong
#pragma once

#include "base/error.h"
#include "base/lsn.h"
#include "core/change.h"
#include "core/record.h"

namespace pgc {

// Appends it. `commit_lsn` is of the change's transaction.
void add_dead_letter(RecordBatch& to, const Change& change, Lsn commit_lsn, const Error& error);

}  // namespace pgc
