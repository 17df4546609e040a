// Snapshot: the rows of a group, from its readers into batches.
#include <algorithm>
#include <utility>
#include <vector>

#include "postgres/snapshot/snapshot.h"

namespace pgc {

Result<bool> Snapshot::read(Batch& batch, std::size_t max_changes, std::size_t max_bytes,
                            Instant now) {
    if (state_ != State::reading) return false;
    const auto allowed = static_cast<std::size_t>(rate_.allowed(now, max_changes));
    if (allowed == 0) return false;
    if (marked_.ready()) {
        send(batch, marked_.put_ready(batch, allowed));
        return true;
    }
    for (std::size_t i = 0; i < copiers_.size(); ++i) {
        TableCopier& copier = *copiers_[(next_copier_ + i) % copiers_.size()];
        if (!copier.copying()) continue;
        const auto read = read_from(copier, batch, allowed, max_bytes);
        if (!read) return read;
        if (!*read) continue;
        next_copier_ = (next_copier_ + i + 1) % copiers_.size();
        return true;
    }
    return false;
}

// The rows of a snapshot of everything say which of them they are.
const SnapshotJob* Snapshot::marks_rows_of(const TableCopyState& table) const {
    const SnapshotJob* job = jobs_.find(tables_.job_of(table));
    return job != nullptr && job->all() ? job : nullptr;
}

Result<bool> Snapshot::read_from(TableCopier& copier, Batch& batch, std::size_t max_changes,
                                 std::size_t max_bytes) {
    const auto& table = copier.table();
    const bool marks = marks_rows_of(*table) != nullptr;
    const std::size_t room = marks ? marked_.make_room(batch, *table) : 0;
    const std::size_t rows_max = marks ? max_changes + 1 : max_changes;  // one is kept back
    auto read = copier.read(batch, std::max(rows_max, room + 1) - room, max_bytes, marks);
    if (!read) return std::unexpected(std::move(read.error()));
    if (read->rows == 0) {
        batch.clear();
        return false;
    }
    rate_.took(read->rows);
    const bool more = read->more;
    std::vector<SentRows> sent;
    if (marks) {
        sent = marked_.put(batch, room, table, copier.part(), std::move(*read));
    } else {
        for (Change& change : batch.changes) change.mark = SnapshotMark::requested;
        sent.push_back({.table = table,
                        .part = copier.part(),
                        .rows = read->rows,
                        .upto = std::move(read->last)});
    }
    if (sent.empty()) {
        // All there is of the table so far is the row that is kept back.
        batch.clear();
        return more ? read_from(copier, batch, max_changes, max_bytes) : false;
    }
    send(batch, std::move(sent));
    return true;
}

void Snapshot::send(Batch& batch, std::vector<SentRows> sent) {
    for (const SentRows& rows : sent) {
        reports_.rows_read(tables_.job_of(*rows.table), rows.table->name(), rows.rows);
    }
    const auto last = sent.back().table;
    rows_.seal(batch, std::move(sent), taken_at_);
    reports_.table_read(
        last->name(), static_cast<double>(last->rows) / static_cast<double>(last->rows_expected()));
}

}  // namespace pgc
