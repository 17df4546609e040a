#include "simulation/oracle.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/snapshot.h"

namespace pgc::sim {

const Committed* Oracle::transaction_of(Lsn commit) const {
    const std::size_t at = history_.first_from(commit);
    if (at == history_.transactions.size() || history_.transactions[at].commit != commit) {
        return nullptr;
    }
    return &history_.transactions[at];
}

// Behind all that commits before its place, before all that comes later.
void Oracle::durable_read(const Record& record, std::size_t instance) {
    auto& [next_row, next_part] = attempts_[line_of(instance)];
    const std::size_t place = without_filtered(history_.rows_before(record.commit_lsn));
    const std::size_t due = next_row ? without_filtered(*next_row) : durable_rows();
    if (next_part != 0 || (next_row ? place != due : place > due)) {
        world_.fail(fmt::format("a row read at {} comes before row {}, where row {} is due",
                                to_string(record.commit_lsn), place, due));
    }
    next_row = place;
    snapshots_.durable_read(record, instance);
}

void Oracle::durable(const Record& record, std::size_t instance) {
    if (native_ && SnapshotOracle::is_read(record)) return durable_read(record, instance);
    auto& [next_row, next_part] = attempts_[line_of(instance)];
    const Committed* transaction = transaction_of(record.commit_lsn);
    if (transaction == nullptr || record.ordinal == 0 ||
        record.ordinal > transaction->rows.size()) {
        world_.fail(fmt::format("a record that was never committed: {} #{}",
                                to_string(record.commit_lsn), record.ordinal));
        return;
    }
    const Row& row = transaction->rows[record.ordinal - 1];
    const std::size_t at = transaction->first_row + record.ordinal - 1;
    const std::size_t due = next_row ? without_filtered(*next_row) : durable_rows();
    if (next_row ? at != due : at > due) {
        world_.fail(fmt::format("row {} came where row {} must", at, due));
    }
    if (!tells(record, row, next_part)) {
        world_.fail(fmt::format("record {} #{} is not of row {}: {}", to_string(record.commit_lsn),
                                record.ordinal, token(row), record.value.substr(0, 200)));
    }
    next_row = at;
    if (native_) snapshots_.durable_change(record, row, next_part);
    if (++next_part < parts(row)) return;
    next_part = 0;
    next_row = at + 1;
    if (at < durable_rows_) {
        ++repeats_;
        if (once_) world_.fail(fmt::format("row {} came twice", at));
    }
    durable_rows_ = std::max(durable_rows_, at + 1);
}

std::uint64_t Oracle::records_of(const Committed& transaction) const {
    std::uint64_t records = 0;
    for (const Row& row : transaction.rows) records += parts(row);
    return records;
}

void Oracle::marked(const Record& record, std::size_t instance) {
    const Committed* transaction = transaction_of(record.commit_lsn);
    if (transaction == nullptr) {
        return world_.fail("a mark of a transaction that was never committed: " +
                           to_string(record.commit_lsn));
    }
    const auto& next_row = attempts_[line_of(instance)].next_row;
    std::optional<std::size_t> due;
    if (next_row) due = without_filtered(*next_row);
    marks_.marked(record, *transaction, records_of(*transaction), due);
}

void Oracle::committed(std::size_t instance) {
    const auto& [next_row, next_part] = attempts_[line_of(instance)];
    if (!whole_ || !next_row || *next_row >= history_.rows) return;
    const std::size_t due = without_filtered(*next_row);
    if (due >= history_.rows) return;
    const Committed& transaction = history_.transactions[history_.transaction_of_row[due]];
    if (next_part == 0 && without_filtered(transaction.first_row) == due) return;
    world_.fail(
        fmt::format("the transaction at {} was committed in parts", to_string(transaction.commit)));
}

void Oracle::reported(Position durable) {
    const bool whole = durable.ordinal == Position::kWhole;
    const std::size_t rows =
        history_.rows_before(whole ? Lsn{durable.commit.value + 1} : durable.commit);
    std::size_t at = std::max(repeats_oracle_.rows_reported(), history_.rows_before(stored_));
    if (rows <= at) return;
    marks_.reported(std::max(at, first_row_), rows,
                    [this](const Committed& transaction) { return records_of(transaction); });
    std::uint64_t records = 0;
    for (; at < rows; ++at) records += parts(history_.row(at));
    repeats_oracle_.reported(rows, records);
}

// Those before this place, and up to it.
std::size_t Oracle::rows_within(Position place) const {
    const Committed* transaction = transaction_of(place.commit);
    return transaction == nullptr ? 0 : without_filtered(transaction->first_row + place.ordinal);
}

bool Oracle::tells(const Record& record, const Row& row, std::size_t part) const {
    const auto holds = [&](const std::string& text) {
        return record.value.find(text) != std::string_view::npos;
    };
    if (!native_) return holds(token(row));
    const auto key = [](std::int64_t id) { return fmt::format("{{\"id\":{}}}", id); };
    if (row.operation == Operation::truncate) return holds("\"op\":\"TRUNCATE\"");
    const bool keyed = is_keyed(row.table);
    if (parts(row) == 2 && part == 0) {
        return record.key == key(row.old_key) && holds("\"op\":\"DELETE\"");
    }
    if (keyed ? record.key != key(row.key) : !record.key.empty()) return false;
    if (row.operation == Operation::remove) return holds("\"op\":\"DELETE\"");
    return holds("\"v\":\"" + token(row)) &&
           holds(fmt::format("\"c{}\":", row.columns)) == (row.columns > 0);
}

// Somebody accepts that changes were missed: everything is read again.
void Oracle::starts_over(Lsn from) {
    world_.note("everything is read again from ", to_string(from));
    loss_ = recovers_ = false;
    ++recoveries_;
    first_row_ = durable_rows_ = history_.rows_before(from);
    stored_ = from;
    repeats_oracle_.life_begins();
    snapshots_.starts_over();
    marks_.starts_over();
}

void Oracle::stored(const StoredPosition& stored) {
    const Lsn position = stored.resume_at;
    world_.note("stored ", to_string(position), stored.snapshot.empty() ? "" : " left ",
                stored.snapshot);
    if (!position) return snapshots_.stored(stored);
    if (loss_ && recovers_ && stored.snapshot == kWholeSnapshot && position == slot_at_) {
        starts_over(position);
    }
    if (position < stored_) {
        world_.fail(fmt::format("the stored position moved back from {} to {}", to_string(stored_),
                                to_string(position)));
    }
    if (begun_ && history_.rows_before(position) > durable_rows()) {
        world_.fail(fmt::format("{} was stored with {} rows before it not durable",
                                to_string(position),
                                history_.rows_before(position) - durable_rows()));
    }
    if (begun_ && rows_within(stored.within) > durable_rows()) {
        world_.fail(fmt::format("{} was stored, of which not everything is durable",
                                to_string(stored.within)));
    }
    const std::size_t next = history_.first_from(position);
    if (next > 0 && history_.transactions[next - 1].end > position) {
        world_.fail(
            fmt::format("{} was stored, which lies inside a transaction", to_string(position)));
    }
    const bool moved = position > stored_;
    stored_ = position;
    repeats_oracle_.stored(history_.rows_before(position), moved);
    snapshots_.stored(stored);
}

void Oracle::confirmed(Lsn position) {
    if (position > confirmed_) world_.note("confirmed ", to_string(position));
    if (position > stored_) {
        world_.fail(fmt::format("{} was confirmed, but only {} is stored", to_string(position),
                                to_string(stored_)));
    }
    if (history_.rows_before(position) > durable_rows()) {
        world_.fail(fmt::format("{} was confirmed with {} rows before it not durable",
                                to_string(position),
                                history_.rows_before(position) - durable_rows()));
    }
    confirmed_ = std::max(confirmed_, position);
}

void Oracle::holds(std::size_t bytes, std::size_t limit) {
    if (bytes > limit) world_.fail(fmt::format("{} bytes held where {} are allowed", bytes, limit));
}

void Oracle::streaming_begins(Lsn from) {
    world_.note("streaming from ", to_string(from));
    if (loss_) world_.fail("streaming goes on although changes were lost");
    if (history_.rows_before(from) > durable_rows()) {
        world_.fail(fmt::format("the stream begins at {}, after {} rows that are not durable",
                                to_string(from), history_.rows_before(from) - durable_rows()));
    }
}

}  // namespace pgc::sim
