#include "postgres/snapshot/marked_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgc {

void MarkedRows::begin_group(bool begun, std::set<Oid> tables) {
    forget_all();
    begun_ = begun;
    tables_ = std::move(tables);
}

void MarkedRows::forget_all() {
    open_.clear();
    read_.clear();
    ready_.clear();
}

SnapshotMark MarkedRows::first_mark(Oid shown) {
    if (!tables_.insert(shown).second) return SnapshotMark::within;
    return std::exchange(begun_, true) ? SnapshotMark::first_of_table : SnapshotMark::first;
}

std::size_t MarkedRows::make_room(Batch& batch, const TableCopyState& table) const {
    const std::size_t room = read_.size() + open_.count(table.table().shown.oid);
    batch.changes.resize(room);
    return room;
}

SentRows MarkedRows::give(Held held, Batch& batch, Change& change) {
    std::move(held.row).give(batch, change, *held.table->shape().relation);
    change.mark = first_mark(held.table->table().shown.oid);
    if (held.mark > change.mark) change.mark = held.mark;
    return {.table = std::move(held.table),
            .part = held.part,
            .rows = 1,
            .upto = std::move(held.key),
            .ends_part = held.ends_part};
}

std::vector<SentRows> MarkedRows::put(Batch& batch, std::size_t room,
                                      const std::shared_ptr<TableCopyState>& table,
                                      std::size_t part, ChunkRows::Read read) {
    std::vector<SentRows> sent;
    const Oid shown = table->table().shown.oid;
    const auto fill = [&](Held held) {
        sent.push_back(give(std::move(held), batch, batch.changes[sent.size()]));
    };
    for (; !read_.empty(); read_.pop_front()) fill(std::move(read_.front()));
    Key before = std::move(read.before);
    if (const auto at = open_.find(shown); at != open_.end()) {
        const bool same = at->second.table == table && at->second.part == part;
        if (before.empty() && same) before = at->second.key;
        fill(std::move(at->second));
        open_.erase(at);
    }
    if (const std::size_t rows = batch.changes.size() - room; rows > 0) {
        batch.changes[room].mark = first_mark(shown);
        sent.push_back({.table = table, .part = part, .rows = rows, .upto = before});
    }
    open_.emplace(shown, Held{.table = table,
                              .part = part,
                              .row = std::move(*read.kept),
                              .key = std::move(read.last),
                              .before = std::move(before)});
    return sent;
}

void MarkedRows::forget(TableCopyState& table, std::size_t part) {
    const auto at = open_.find(table.table().shown.oid);
    if (at == open_.end()) return;
    Held& held = at->second;
    if (held.table.get() != &table || held.part != part || held.before.empty()) return;
    table.read_up_to(part, std::move(held.before));
    open_.erase(at);
}

bool MarkedRows::part_ended(const TableCopyState& table, std::size_t part) {
    const auto at = open_.find(table.table().shown.oid);
    if (at == open_.end()) return false;
    Held& held = at->second;
    if (held.table.get() != &table || held.part != part) return false;
    held.ends_part = true;
    return true;
}

void MarkedRows::table_read(Oid shown) {
    const auto at = open_.find(shown);
    if (at == open_.end()) return;
    at->second.mark = SnapshotMark::last_of_table;
    read_.push_back(std::move(at->second));
    open_.erase(at);
}

void MarkedRows::close(bool all) {
    std::ranges::move(read_, std::back_inserter(ready_));
    if (all && !read_.empty()) ready_.back().mark = SnapshotMark::last;
    read_.clear();
    for (auto& [shown, held] : open_) {
        // Nothing of a table without a key counts unless all of it was read.
        if (!held.key.empty()) ready_.push_back(std::move(held));
    }
    open_.clear();
}

std::vector<SentRows> MarkedRows::put_ready(Batch& batch, std::size_t max) {
    std::vector<SentRows> sent;
    batch.changes.resize(std::min(max, ready_.size()));
    for (Change& change : batch.changes) {
        sent.push_back(give(std::move(ready_.front()), batch, change));
        ready_.pop_front();
    }
    return sent;
}

}  // namespace pgc
