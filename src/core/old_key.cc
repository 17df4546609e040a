#include "core/old_key.h"

namespace pgc {
namespace {

// Where the server sends an old row only if a column of the replica identity changed, those columns
// are known without it.
bool is_unsent(const Change& change, std::uint32_t place) noexcept {
    if (change.before != nullptr) return change.before[place].state == Cell::State::absent;
    const ReplicaIdentity identity = change.relation->identity;
    const bool sent_if_changed =
        identity == ReplicaIdentity::key || identity == ReplicaIdentity::index;
    return !sent_if_changed || !change.relation->columns[place].identity;
}

}  // namespace

std::vector<std::uint32_t> unsent_key_columns(const Change& change) {
    std::vector<std::uint32_t> columns;
    if (change.operation != Operation::update && change.operation != Operation::remove) {
        return columns;
    }
    if (change.relation->message_key.empty()) {
        // Without an old row no column of the key changed.
        if (change.before == nullptr) return columns;
        for (const std::uint32_t place : change.relation->unique_key) {
            if (change.before[place].state == Cell::State::absent) columns.push_back(place);
        }
        return columns;
    }
    for (const std::uint32_t place : change.relation->message_key) {
        if (is_unsent(change, place)) columns.push_back(place);
    }
    return columns;
}

}  // namespace pgc
