// Judges what can be seen from outside: the destination's durable records, the stored
// position, what was confirmed to the server. Knows nothing of how the engine works.
//
//   reported   each row of the committed history arrives, in its order, from where the attempt
//              before was durable at the latest: nothing is skipped, what comes twice is a
//              suffix; each record says what its row said
//   stored     a position is stored only when all rows before it are durable, lies between two
//              transactions (what it means depends on nothing but the log), and comes soon
//              (repeats_oracle.h)
//   confirmed  the server is told only what is stored
//   memory     what the sink holds stays within the budget and one batch
//   losses     a slot that was moved, dropped or a log that diverged ends in a stop, or, where
//              that is wanted, in a new snapshot of everything; and nothing else does
//   whole      where transactions are to be committed as a whole, what is committed ends with one
//   marks      see mark_oracle.h
//   once       where the sink commits records and position together no row comes twice
//   snapshots  see snapshot_oracle.h
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.h"
#include "core/record.h"
#include "core/store.h"
#include "simulation/history.h"
#include "simulation/mark_oracle.h"
#include "simulation/repeats_oracle.h"
#include "simulation/snapshot_oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

class Oracle {
public:
    // `native`: records are of the native format, else of FakeFormat. Rows of table
    // `filtered` are left out by the configuration; kTables: none are.
    Oracle(World& world, const History& history, bool native, std::uint32_t filtered)
        : world_(world),
          history_(history),
          native_(native),
          filtered_(filtered),
          repeats_oracle_(world),
          snapshots_(world, history, filtered),
          marks_(world, history) {}

    // The slot's consistent point: rows before are not ours.
    void begins_at(Lsn lsn) {
        first_row_ = durable_rows_ = history_.rows_before(lsn);
        begun_ = true;
    }
    bool begun() const noexcept { return begun_; }
    // Where the slot was made, or moved to by others; none: it is gone.
    void slot_stands_at(Lsn lsn) noexcept { slot_at_ = lsn; }

    // Two of us follow the slot in turn: what the one before had on its way may come late, and a
    // consumer takes the newest by its place.
    void has_two_instances() {
        two_ = true;
        snapshots_.has_two_instances();
    }
    // Records and positions are committed together: no row of the stream comes twice.
    void comes_once() noexcept {
        once_ = true;
        marks_.comes_once();
    }
    void comes_whole() noexcept { whole_ = true; }
    // Whoever of two writes, records come in one line: files go on where the other one stopped.
    void comes_in_one_line() noexcept { one_line_ = true; }
    // An attempt begins: what its sink makes durable starts over.
    void attempt_begins() {
        attempts_[line_of(world_.instance())] = {};
        snapshots_.attempt_begins();
    }
    void durable(const Record& record, std::size_t instance);
    // A mark of a transaction.
    void marked(const Record& record, std::size_t instance);
    // What was told since the last of these was committed together.
    void committed(std::size_t instance);
    // The sink has said so, of the stream.
    void reported(Position durable);

    void stored(const StoredPosition& position);
    // Nothing can be stored before: whoever waits for that waits in vain.
    void store_is_away(Instant until) noexcept { store_back_at_ = std::max(store_back_at_, until); }
    bool can_store() const { return world_.clock.now() >= store_back_at_; }
    void confirmed(Lsn position);
    void holds(std::size_t bytes, std::size_t limit);

    // From now on only a stop is right; or, if it `recovers`, everything read again.
    void loss_happened(bool recovers) noexcept {
        loss_ = true;
        recovers_ = recovers;
    }
    bool loss() const noexcept { return loss_; }
    std::size_t recoveries() const noexcept { return recoveries_; }
    RepeatsOracle& repeats_oracle() noexcept { return repeats_oracle_; }
    void life_begins() {
        attempt_begins();
        snapshots_.life_begins();
        repeats_oracle_.life_begins();
    }
    MarkOracle& marks() noexcept { return marks_; }
    SnapshotOracle& snapshots() noexcept { return snapshots_; }
    const SnapshotOracle& snapshots() const noexcept { return snapshots_; }
    void streaming_begins(Lsn from);

    Lsn stored() const noexcept { return stored_; }
    bool complete() const { return missing() == 0; }
    // This attempt itself has brought the last row.
    bool attempt_complete() const {
        const auto& next = attempts_[line_of(world_.instance())].next_row;
        return next && without_filtered(*next) == history_.rows;
    }
    // What is stored leaves no row to be read again.
    bool all_stored() const {
        return without_filtered(history_.rows_before(stored_)) == history_.rows;
    }
    std::size_t missing() const { return history_.rows - durable_rows(); }
    std::size_t repeats() const noexcept { return repeats_; }

private:
    const Committed* transaction_of(Lsn commit) const;
    std::uint64_t records_of(const Committed& transaction) const;
    // A change of the key makes two records with one ordinal.
    std::size_t parts(const Row& row) const noexcept {
        if (row.table == filtered_) return 0;
        return native_ && row.old_key != 0 && is_keyed(row.table) ? 2 : 1;
    }
    // The first row at or after `at` that gives records.
    std::size_t without_filtered(std::size_t at) const {
        while (at < history_.rows && parts(history_.row(at)) == 0) ++at;
        return at;
    }
    std::size_t durable_rows() const { return without_filtered(durable_rows_); }
    std::size_t rows_within(Position place) const;
    bool tells(const Record& record, const Row& row, std::size_t part) const;
    struct Attempt {
        std::optional<std::size_t> next_row;  // that it must bring
        std::size_t next_part = 0;            // of that row
    };
    std::size_t line_of(std::size_t instance) const noexcept { return one_line_ ? 0 : instance; }
    void durable_read(const Record& record, std::size_t instance);
    void starts_over(Lsn from);

    World& world_;
    const History& history_;
    const bool native_;
    const std::uint32_t filtered_;
    bool begun_ = false;
    Lsn slot_at_;
    std::size_t first_row_ = 0;
    std::size_t durable_rows_ = 0;     // all rows before this one are durable, or filtered
    std::array<Attempt, 2> attempts_;  // by instance
    bool two_ = false;
    bool once_ = false;
    bool whole_ = false;
    bool one_line_ = false;
    Lsn stored_;
    Instant store_back_at_;
    Lsn confirmed_;
    bool loss_ = false;
    bool recovers_ = false;
    std::size_t recoveries_ = 0;
    std::size_t repeats_ = 0;
    RepeatsOracle repeats_oracle_;
    SnapshotOracle snapshots_;
    MarkOracle marks_;
};

}  // namespace pgc::sim
