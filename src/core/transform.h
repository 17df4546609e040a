// What every transform promises the pipeline: it edits a batch between source and format.
//
// Changes may be altered, replaced and left out, and others put beside them: rows, truncates,
// logical messages (which have no relation) and the rows of snapshots, in batches of their own. An
// update that gives its row another key is still one change; it is split afterwards
// (key_changes.h).
//
// What holds before apply() holds after it (tests/conformance/transform_test.cc):
//   - The transactions of the batch, their ends, batch.end, resume_at and lane stay as they are.
//   - The changes of each transaction stay together and in their order; first and count follow.
//   - A change keeps its ordinal, and one that is put beside it gets the same. One that is left out
//     leaves a gap.
//   - What a change refers to lives as long as the batch: cells in its arena, relations held by it.
//   - A change has a cell for each column of its relation. A column that is to be left out can
//     stay where it is, with Column::captured false.
//   - A relation that is made from another is made by RelationSlots, once for each one it is made
//     from (by_slot.h), so that whatever is kept by slot holds for it as well.
//
// A record goes where its relation's schema and name say: who renames a relation also moves its
// rows to another topic, and names another table in messages and metrics.
//
// Life: made for one attempt; slots and serials start again in the next.
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "core/change.h"

namespace pgc {

class Transform {
public:
    Transform() = default;
    Transform(const Transform&) = delete;
    Transform& operator=(const Transform&) = delete;
    virtual ~Transform() = default;

    // Never blocks. After an Error, which is of the whole batch, the batch is given up and the
    // attempt ends.
    [[nodiscard]] virtual Result<void> apply(Batch& batch) = 0;
};

// Leaves out the changes for which `keep` is false.
template <typename Keep>
void keep_changes(Batch& batch, Keep&& keep) {
    std::size_t to = 0;
    for (Transaction& part : batch.transactions) {
        const std::size_t end = std::size_t{part.first} + part.count;
        const std::size_t first = to;
        for (std::size_t from = part.first; from < end; ++from) {
            if (!keep(static_cast<const Change&>(batch.changes[from]))) continue;
            if (to != from) batch.changes[to] = batch.changes[from];
            ++to;
        }
        part.first = static_cast<std::uint32_t>(first);
        part.count = static_cast<std::uint32_t>(to - first);
    }
    batch.changes.resize(to);
}

}  // namespace pgc
