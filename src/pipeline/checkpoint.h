// When the position is stored, and when the slot is confirmed up to it.
//
//   confirmable (ledger) ──save──▶ store ──saved──▶ safe() ──▶ source.confirm()
//
// Where the sink keeps the position, it is sealed there with the records instead: then what is to
// be stored is what the sink was given, and it is durable by that; nothing comes again.
//
//   sealable (ledger) ──seal──▶ sink ──saved──▶ safe() ──▶ source.confirm()
//
// The order is the law: safe() only ever names what the store has said is safe against a
// crash. What is durable and not stored is sent again after a crash, so a save is due when
//   - records became durable and a second has passed since the last save, or so many were sent
//     since that 20,000 might come again, or they are the first of this attempt (a process that
//     dies every second makes progress all the same), or
//   - without records the position moved (idle, or all was filtered), and the interval has
//     passed, or
//   - the stream is quiet and kQuiet has passed (an idle server learns soon that nothing
//     is missing, so that it can forget its log, or shut down), or
//   - the sink has records that only a seal makes durable, and the sink's pace says so (SealPace),
//     or the sink wants one at this time, or
//   - rows of a snapshot became durable and kSnapshot has passed (they would be read again), or
//     so many did that the source wants it stored (what is sealed: at the usual pace, where the
//     sink's own is slower), or
//   - what the source remembers has changed (Source::memory) and a second has passed, or
//   - it is forced: at the end, or before a new attempt.
// One save at a time: what comes due meanwhile goes with the next one.
// Of the 20,000 a fifth is for what becomes durable during the save. What is under way in the sink
// counts, for it comes again as well; but where that is more than all of them, stored is only after
// half as many, and not over and over.
//
// The slot is confirmed at the interval, sooner when the stream is quiet or it is forced.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "core/sink.h"
#include "core/store.h"

namespace pgc {

class Checkpoint {
public:
    static constexpr Duration kStore_every = std::chrono::seconds{1};
    static constexpr std::uint64_t kRecords = 20'000;  // that may come again
    static constexpr Duration kQuiet = std::chrono::seconds{1};
    static constexpr Duration kSnapshot = std::chrono::milliseconds{200};

    Checkpoint(const Clock& clock, Duration interval, Duration store_every = kStore_every,
               std::uint64_t records = kRecords) noexcept
        : clock_(clock), interval_(interval), store_every_(store_every), records_max_(records) {}

    // Where positions go. What it refers to is used until the next begin(), or until what was being
    // stored is.
    struct Place {
        PositionStore& store;
        Sink* seals = nullptr;  // whose positions() `store` is, if it is a sink's
    };
    // A new attempt: `position` says whose positions they are, and is in the store unless
    // `store_now`, which begins to store it. safe() is none until it is stored.
    [[nodiscard]] Result<void> begin(Place place, const StoredPosition& position, bool store_now);

    enum class Urgency : std::uint8_t { normal, quiet, forced };
    // What is durable; or, where positions are sealed, what can be.
    struct Reached {
        Lsn confirmable;    // none: nothing may be stored now
        Position within{};  // of the transaction that comes next, where positions are sealed
        // Of what is left of the snapshots: 0 is what begin() was given.
        std::uint64_t snapshot_revision = 0;
        bool snapshot_is_due = false;
        // Of the stream, before `confirmable`, since begin().
        std::uint64_t records = 0;
        // Of the stream, what the sink got since begin(), those included.
        std::uint64_t sent = 0;
        // Of Source::memory(): 0 is what begin() was given.
        std::uint64_t memory_revision = 0;
        // The sink has records that only a seal makes durable; and there is nothing at hand that
        // could go with them.
        bool unsealed = false;
        bool all_given = false;

        ResumePoint point() const noexcept { return {confirmable, within}; }
    };
    using Text = std::function<std::string()>;
    // Goes on with a save, or begins one if it is due; then `snapshot` is asked for what is
    // left, and `memory`, if their revisions are others. True when something was stored.
    [[nodiscard]] Result<bool> advance(const Reached& reached, const Text& snapshot,
                                       Urgency urgency, const Text& memory = {});

    // Everything before is durable and stored: the slot may be confirmed up to here.
    Lsn safe() const noexcept { return safe_.at; }
    bool saving() const noexcept { return saving_; }
    // All of that.
    bool has_stored(const Reached& reached) const noexcept {
        return !saving_ && due(reached, Urgency::forced) == kNever;
    }
    Lsn confirmed() const noexcept { return confirmed_; }
    // Where the slot is to be confirmed now; none: that is not due. Each place once.
    Lsn confirm(Urgency urgency) noexcept;
    // As last given to the store; stored unless saving().
    std::uint64_t snapshot_revision() const noexcept { return revision_; }

    void wants(Wants& wants, const Reached& reached, Urgency urgency) const;

private:
    Result<void> store();
    bool moved(const Reached& reached) const noexcept { return reached.point() > safe_; }
    Duration pause(Urgency urgency) const noexcept;
    Duration pause_of_seals(const SealPace& pace, const Reached& reached) const noexcept;
    Instant seal_due(const Reached& reached, Urgency urgency) const noexcept;
    Duration pause_of_moves(const Reached& reached, Urgency urgency) const noexcept;
    // When what was reached is to be stored; kNever: it is stored.
    Instant due(const Reached& reached, Urgency urgency) const noexcept;
    bool too_many_might_come_again(const Reached& reached) const noexcept;
    Instant confirm_due(Urgency urgency) const noexcept;

    PositionStore* store_ = nullptr;  // of the present attempt
    Sink* seals_ = nullptr;           // likewise
    SealPace pace_;                   // its
    const Clock& clock_;
    const Duration interval_;
    const Duration store_every_;
    const std::uint64_t records_max_;
    StoredPosition position_;            // as last given to the store
    std::uint64_t revision_ = 0;         // likewise
    std::uint64_t records_ = 0;          // likewise
    std::uint64_t memory_revision_ = 0;  // likewise
    ResumePoint safe_;
    bool saving_ = false;
    bool first_ = true;  // no record of this attempt was stored yet
    Instant last_;       // when the last save began
    Duration seal_took_{0};
    Lsn confirmed_;
    Instant confirmed_at_;
};

}  // namespace pgc
