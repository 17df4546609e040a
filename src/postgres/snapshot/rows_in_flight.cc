#include "postgres/snapshot/rows_in_flight.h"

#include <algorithm>
#include <utility>

namespace pgc {

void RowsInFlight::begin_group() {
    kept_.clear();
    // Two groups at one place would still be one line of positions.
    ordinal_ = stored_ordinal_ = read_to_.commit == at_ ? read_to_.ordinal : 0;
}

void RowsInFlight::seal(Batch& batch, std::vector<SentRows> sent, WallTime taken_at) {
    batch.lane = kSnapshotLane;
    for (Change& change : batch.changes) {
        change.lsn = at_;
        change.ordinal = ++ordinal_;
    }
    batch.transactions.push_back({.xid = {},
                                  .commit_lsn = at_,
                                  .end_lsn = {},
                                  .committed_at = taken_at,
                                  .first = 0,
                                  .count = static_cast<std::uint32_t>(batch.changes.size()),
                                  .ends = false});
    batch.end = read_to_ = {at_, ordinal_};
    for (SentRows& rows : sent) {
        batch.hold(rows.table->shape().relation);
        rows.table->rows += rows.rows;
        if (!rows.upto.empty()) {
            marks_.push_back({.at = read_to_,
                              .table = rows.table,
                              .part = rows.part,
                              .key = std::move(rows.upto)});
        }
        if (rows.ends_part) part_ended(rows.table, rows.part);
    }
}

void RowsInFlight::part_ended(const std::shared_ptr<TableCopyState>& table, std::size_t part) {
    marks_.push_back({.at = read_to_, .table = table, .part = part, .key = {}, .whole = true});
}

bool RowsInFlight::durable(Position position) {
    durable_to_ = std::max(durable_to_, position);
    bool changed = false;
    for (; !marks_.empty() && marks_.front().at <= durable_to_; marks_.pop_front()) {
        Mark& mark = marks_.front();
        if (mark.whole) {
            mark.table->durable_whole(mark.part);
        } else {
            mark.table->durable_up_to(mark.part, std::move(mark.key));
        }
        changed = true;
    }
    return changed;
}

void RowsInFlight::kept(bool changed, std::uint64_t revision) {
    if (durable_to_.commit != at_) return;
    if (changed) {
        kept_.push_back({.revision = revision, .ordinal = durable_to_.ordinal});
    } else {
        // Rows of a table without a key, of which nothing can be remembered.
        (kept_.empty() ? stored_ordinal_ : kept_.back().ordinal) = durable_to_.ordinal;
    }
}

void RowsInFlight::stored(std::uint64_t revision) {
    for (; !kept_.empty() && kept_.front().revision <= revision; kept_.pop_front()) {
        stored_ordinal_ = std::max(stored_ordinal_, kept_.front().ordinal);
    }
}

}  // namespace pgc
