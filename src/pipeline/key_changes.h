// What becomes of an update that gives its row another key, for every format alike:
//
//   update 1 ─▶ 2      becomes     removal of 1, insertion of 2, both with the update's ordinal
//
// Whoever keeps a state for each key then gets it right knowing nothing of the other key, in
// whatever partition that is. What the server did not send of the new row, because it did not
// change, is taken from the old one where that is known.
//
// A key is another one when its bytes are: 1.0 and 1.00 are two, as they are to PostgreSQL.
#pragma once

#include "core/change.h"

namespace pgc {

// True of an update whose old row is known to have another key. Where the server did not send all
// of the old key, it is not: formats refuse such a change (core/old_key.h).
bool has_other_key(const Change& change);

void split_key_changes(Batch& batch);

}  // namespace pgc
