#include "postgres/snapshot/chunk_rows.h"

#include <algorithm>
#include <utility>

namespace pgc {

ChunkRows::ChunkRows(const TableShape& shape)
    : shape_(shape), rows_(shape.form, shape.columns.size()), cells_(shape.columns.size()) {}

void KeptRow::give(Batch& batch, Change& change, const Relation& relation) && {
    Cell* row = batch.arena.allocate<Cell>(std::max<std::size_t>(cells.size(), 1));
    std::ranges::copy(cells, row);
    const Link::Release release = message.get_deleter();
    batch.retain(message.release(), bytes, release);
    change.operation = Operation::read;
    change.relation = &relation;
    change.after = row;
}

Result<ChunkRows::Read, std::string> ChunkRows::read(Link& link, Batch& batch,
                                                     std::size_t max_changes, std::size_t max_bytes,
                                                     bool keep_last) {
    const Link::Release release = link.release();
    Read read;
    std::size_t received = 0;
    messages_.clear();
    const auto drained = link.drain(messages_, max_changes, max_bytes, received);
    const CopyMessage* last = nullptr;  // the last row's, which the batch does not keep yet
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        const CopyMessage& message = messages_[i];
        const auto found = decode(message, batch);
        if (!found) {
            if (last != nullptr) release(last->data);
            for (; i < messages_.size(); ++i) release(messages_[i].data);
            return std::unexpected("a row that COPY can't have sent");
        }
        if (*found == CopyRows::Found::nothing) {
            batch.retain(message.data, message.size, release);
            continue;
        }
        if (last != nullptr) batch.retain(last->data, last->size, release);
        last = &message;
        ++read.rows;
    }
    if (last != nullptr) {
        if (keep_last) {
            read.kept = take_last(batch, *last, release);
        } else {
            batch.retain(last->data, last->size, release);
        }
        if (auto found = find_keys(batch, read); !found) {
            return std::unexpected(std::move(found.error()));
        }
    }
    // Of a link that broke, what came before counts.
    read.over = !drained || *drained == Link::Drained::ended;
    read.more = drained && *drained == Link::Drained::limit;
    return read;
}

KeptRow ChunkRows::take_last(Batch& batch, const CopyMessage& message,
                             Link::Release release) const {
    const Cell* const row = batch.changes.back().after;
    batch.changes.pop_back();
    return {.cells = {row, row + shape_.relation->columns.size()},
            .bytes = message.size,
            .message = {message.data, release}};
}

Result<void, std::string> ChunkRows::find_keys(Batch& batch, Read& read) {
    if (shape_.key.empty()) return {};
    auto key = key_of(read.kept ? read.kept->cells.data() : batch.changes.back().after);
    if (!key) return std::unexpected("a key without a text");
    read.last = std::move(*key);
    if (!read.kept || read.rows < 2) return {};
    key = key_of(batch.changes.back().after);
    if (!key) return std::unexpected("a key without a text");
    read.before = std::move(*key);
    return {};
}

Result<CopyRows::Found, CopyRows::Fault> ChunkRows::decode(const CopyMessage& message,
                                                           Batch& batch) {
    const auto found = rows_.read({message.data, message.size}, cells_);
    if (!found || *found == CopyRows::Found::nothing) return found;
    const std::size_t columns = shape_.relation->columns.size();
    Cell* row = batch.arena.allocate<Cell>(std::max<std::size_t>(columns, 1));
    if (shape_.places.size() == columns) [[likely]] {
        std::ranges::copy(cells_, row);
    } else {
        std::fill_n(row, columns, Cell{});
        for (std::size_t i = 0; i < cells_.size(); ++i) row[shape_.places[i]] = cells_[i];
    }
    batch.changes.push_back(
        {.operation = Operation::read, .relation = shape_.relation.get(), .after = row});
    return found;
}

std::optional<Key> ChunkRows::key_of(const Cell* row) {
    const Relation& relation = *shape_.relation;
    Key key;
    scratch_.clear();
    for (const std::uint32_t place : relation.key) {
        auto text = key_text(*relation.columns[place].type, row[place], scratch_);
        if (!text) return std::nullopt;
        key.push_back(std::move(*text));
    }
    return key;
}

}  // namespace pgc
