// Judges what can be seen from outside: the destination's durable records, the stored
// position, what the server was told. Knows nothing of how the engine works.
//
//   told       each row of the committed history arrives, in its order, from where the attempt
//              before was durable at the latest: nothing is skipped, what comes twice is a
//              suffix; each record says what its row said
//   stored     a position is stored only when all rows before it are durable
//   confirmed  the server is told only what is stored
//   memory     what the sink holds stays within the budget and one batch
//   losses     a slot that was moved, dropped or a log that diverged ends in a stop; and
//              nothing else does
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.h"
#include "core/record.h"
#include "simulation/history.h"
#include "simulation/world.h"

namespace pgc::sim {

class Oracle {
public:
    // `native`: records are of the native format, else of PlayedFormat.
    Oracle(World& world, const History& history, bool native)
        : world_(world), history_(history), native_(native) {}

    // The slot's consistent point: rows before are not ours.
    void begins_at(Lsn lsn) {
        first_row_ = durable_rows_ = history_.rows_before(lsn);
        begun_ = true;
    }
    bool begun() const noexcept { return begun_; }

    // A sink was built: what it makes durable starts anew.
    void attempt_begins() {
        next_row_.reset();
        next_part_ = 0;
    }
    void durable(const Record& record);

    void stored(Lsn position);
    void confirmed(Lsn position);
    void holds(std::size_t bytes, std::size_t limit);

    // From now on only a stop is right.
    void loss_happened() noexcept { loss_ = true; }
    bool loss() const noexcept { return loss_; }
    void streaming_begins(Lsn from);

    Lsn stored() const noexcept { return stored_; }
    bool complete() const noexcept { return durable_rows_ == history_.rows; }
    // This attempt itself has brought the last row.
    bool attempt_complete() const noexcept { return next_row_ == history_.rows; }
    std::size_t missing() const noexcept { return history_.rows - durable_rows_; }
    std::size_t repeats() const noexcept { return repeats_; }

private:
    const Committed* transaction_of(Lsn commit) const;
    // A change of the key makes two records with one ordinal.
    std::size_t parts(const Row& row) const noexcept {
        return native_ && row.old_key != 0 ? 2 : 1;
    }
    bool tells(const Record& record, const Row& row, std::size_t part) const;

    World& world_;
    const History& history_;
    const bool native_;
    bool begun_ = false;
    std::size_t first_row_ = 0;
    std::size_t durable_rows_ = 0;         // all rows before this one are durable
    std::optional<std::size_t> next_row_;  // that this attempt must bring
    std::size_t next_part_ = 0;            // of that row
    Lsn stored_;
    Lsn confirmed_;
    bool loss_ = false;
    std::size_t repeats_ = 0;
};

}  // namespace pgc::sim
