#include "pipeline/key_changes.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "core/old_key.h"

namespace pgc {
namespace {

bool may_have_other_key(const Change& change) noexcept {
    return change.operation == Operation::update && change.before != nullptr;
}

// The new row, with what is only known of the old one.
const Cell* completed(const Change& change, Arena& arena) {
    const std::size_t columns = change.relation->columns.size();
    const auto lacks = [&](std::size_t i) {
        return change.after[i].state == Cell::State::unchanged &&
               change.before[i].state != Cell::State::absent;
    };
    std::size_t first = 0;
    while (first < columns && !lacks(first)) ++first;
    if (first == columns) return change.after;
    Cell* const row = arena.allocate<Cell>(columns);
    std::uninitialized_copy_n(change.after, columns, row);
    for (std::size_t i = first; i < columns; ++i) {
        if (lacks(i)) row[i] = change.before[i];
    }
    return row;
}

}  // namespace

bool has_other_key(const Change& change) {
    if (!may_have_other_key(change) || lacks_old_key(change)) return false;
    bool other = false;
    for_each_key_column(*change.relation, [&](std::uint32_t place) {
        const Cell& before = change.before[place];
        const Cell& after = change.after[place];
        const bool known =
            before.state != Cell::State::absent && after.state != Cell::State::unchanged;
        other =
            other || (known && (before.state != after.state || before.bytes() != after.bytes()));
    });
    return other;
}

void split_key_changes(Batch& batch) {
    auto& changes = batch.changes;
    const auto count = std::ranges::count_if(changes, has_other_key);
    if (count == 0) [[likely]] {
        return;
    }
    // From the back, so that each moves once. Transactions follow their changes.
    std::size_t from = changes.size();
    std::size_t to = from + static_cast<std::size_t>(count);
    changes.resize(to);
    for (auto part = batch.transactions.rbegin(); part != batch.transactions.rend(); ++part) {
        const std::size_t end = to;
        const std::size_t first = part->first;
        while (from > first) {
            const Change change = changes[--from];
            if (!has_other_key(change)) {
                changes[--to] = change;
                continue;
            }
            Change inserted = change;
            inserted.operation = Operation::insert;
            inserted.part = Change::Part::new_key;
            inserted.after = completed(change, batch.arena);
            inserted.before = nullptr;
            inserted.before_is_full = false;
            changes[--to] = inserted;
            Change removed = change;
            removed.operation = Operation::remove;
            removed.part = Change::Part::old_key;
            removed.after = nullptr;
            changes[--to] = removed;
        }
        part->first = static_cast<std::uint32_t>(to);
        part->count = static_cast<std::uint32_t>(end - to);
    }
}

}  // namespace pgc
