#include "postgres/snapshot/moved_rows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/value.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/progress.h"

namespace pgc {
namespace {

// Nothing where some part of it has no text.
std::optional<Key> new_key(const Change& change) {
    Scratch scratch;
    Key key;
    for (const std::uint32_t place : change.relation->key) {
        auto text = key_text(*change.relation->columns[place].type, change.after[place], scratch);
        if (!text) return std::nullopt;
        key.push_back(std::move(*text));
    }
    return key;
}

}  // namespace

bool MovedRows::watches() const noexcept {
    return std::ranges::any_of(jobs_.all(),
                               [](const SnapshotJob& job) { return !job.open.empty(); }) ||
           tables_.left();
}

void MovedRows::changes_come_by(const Relation& relation) {
    if (known_keys_.size() <= relation.slot) known_keys_.resize(relation.slot + 1);
    if (known_keys_[relation.slot]) return;
    known_keys_[relation.slot] = true;
    bool changed = false;
    tables_.remember(jobs_.all());
    for (SnapshotJob& job : jobs_.all()) {
        for (auto& [oid, open] : job.open) {
            if (open.shown != relation.oid || has_key_of(relation, open)) continue;
            add_moved(open, std::nullopt);
            changed = true;
        }
    }
    if (!changed) return;
    tables_.read_again(relation.oid, std::nullopt);
    jobs_.changed();
}

void MovedRows::move(const Change& change) {
    const auto key = new_key(change);
    tables_.remember(jobs_.all());
    tables_.read_again(change.relation->oid, key);
    for (SnapshotJob& job : jobs_.all()) {
        for (auto& [oid, open] : job.open) {
            if (open.shown == change.relation->oid) add_moved(open, key);
        }
    }
    jobs_.changed();
}

}  // namespace pgc
