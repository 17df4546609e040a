#include "postgres/snapshot/chunk_rows.h"

#include <algorithm>
#include <utility>

namespace pgc {

ChunkRows::ChunkRows(const TableShape& shape)
    : shape_(shape), rows_(shape.form, shape.columns.size()), cells_(shape.columns.size()) {}

Result<ChunkRows::Read, std::string> ChunkRows::read(Link& link, Batch& batch,
                                                     std::size_t max_changes,
                                                     std::size_t max_bytes) {
    const Link::Release release = link.release();
    Read read;
    std::size_t received = 0;
    messages_.clear();
    const auto drained = link.drain(messages_, max_changes, max_bytes, received);
    const Cell* last = nullptr;
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        const CopyMessage& message = messages_[i];
        batch.retain(message.data, message.size, release);
        const auto found = decode(message, batch);
        if (!found) {
            for (++i; i < messages_.size(); ++i) release(messages_[i].data);
            return std::unexpected("a row that COPY can't have sent");
        }
        if (*found == CopyRows::Found::nothing) continue;
        last = batch.changes.back().after;
        ++read.rows;
    }
    if (last != nullptr && !shape_.key.empty()) {
        auto key = key_of(last);
        if (!key) return std::unexpected("a key without a text");
        read.last = std::move(*key);
    }
    // Of a link that broke, what came before counts.
    read.over = !drained || *drained == Link::Drained::ended;
    read.more = drained && *drained == Link::Drained::limit;
    return read;
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
