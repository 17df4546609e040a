// Whether the key is known under which a changed row stood before. A key that the configuration
// names (Relation::message_key) may be of columns that the server does not send of old rows: then
// the key of a removed row is unknown, and so is whether an update changed it. So may be that of a
// unique index where a partition's replica identity was another one when the change was logged.
// Neither is ever guessed.
#pragma once

#include <cstdint>
#include <vector>

#include "core/change.h"

namespace pgc {

// The columns of such a key that an update or removal lacks; empty of every other change.
std::vector<std::uint32_t> unsent_key_columns(const Change& change);

inline bool lacks_old_key(const Change& change) {
    if (change.relation == nullptr ||
        (change.relation->message_key.empty() && change.relation->unique_key.empty())) [[likely]] {
        return false;
    }
    return !unsent_key_columns(change).empty();
}

}  // namespace pgc
