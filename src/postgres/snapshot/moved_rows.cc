#include "postgres/snapshot/moved_rows.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <utility>

#include "core/value.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/progress.h"

namespace pgc {
namespace {

// The key is another one, and a value that did not change was not sent.
bool moves_without_a_value(const Change& change) noexcept {
    const Relation& relation = *change.relation;
    const auto moved = [&](std::uint32_t place) {
        const Cell& before = change.before[place];
        return before.state != Cell::State::absent && before.bytes() != change.after[place].bytes();
    };
    if (std::ranges::none_of(relation.key, moved)) return false;
    return std::ranges::any_of(
        std::views::iota(std::size_t{0}, relation.columns.size()), [&](std::size_t i) {
            return change.after[i].state == Cell::State::unchanged && relation.columns[i].captured;
        });
}

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

void MovedRows::watch(const Batch& batch) {
    if (!watches()) return;
    const Relation* known = nullptr;
    for (const Change& change : batch.changes) {
        if (change.operation != Operation::update) continue;
        if (change.relation != known) {
            known = change.relation;
            changes_come_by(*known);
        }
        if (change.before != nullptr && moves_without_a_value(change)) move(change);
    }
}

void MovedRows::changes_come_by(const Relation& relation) {
    if (known_keys_.find(relation) != nullptr) return;
    known_keys_.keep(relation, true);
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
