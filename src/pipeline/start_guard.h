// Where the stream may start, or why it must not: law 3. Pure.
//
// S is the position we stored (for what has to exist, the last commit it reaches into), C what the
// slot has confirmed. We store before we confirm,
// so C <= S holds as long as nobody else touched the slot; PostgreSQL may rewind C in a
// crash, which is harmless, because S is what we ask for.
//
//   stored  slot           and                                      then
//   no      created now    -                                        store C, start at C
//   no      was there      the store is there                       the same, and logged;
//                                                                   snapshot_choice.h: with what
//   no      was there      the store as a whole is missing          stop: it may have had one
//   no      not there      the store as a whole is missing          create it, then begin again
//   yes     created now    -                                        stop: the old one was dropped
//   yes     was there      another system, database, slot           stop
//   yes     was there      timeline older, or not a descendant      stop: history diverged
//   yes     was there      a descendant that left ours before S     stop: history diverged
//   yes     was there      S beyond the server's log                stop: it lost what we have
//   yes     was there      S < C                                    stop: the slot was moved
//   yes     was there      S >= C                                   start at S
//
// A place inside a transaction counts what one publication sent: with another it is given up, and
// what was sealed of the transaction comes again.
//
// There is no option to go on regardless. Who accepts the gap says so with a command that each of
// these errors names: `position reset` takes the stored position away, and the second line holds;
// `adopt` makes the missing store and stores where the slot stands, and the last one does.
//
// A store that is missing (a topic) is made while the slot is not there yet, and before it
// is: so a first start that is killed at any moment leaves nothing that the next one refuses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/lsn.h"
#include "core/source.h"
#include "core/store.h"

namespace pgc {

struct StartPlan {
    // no_store: nothing else holds; PositionStore::create(), then the whole attempt again.
    enum class Because : std::uint8_t { new_slot, foreign_slot, stored, promoted, no_store };

    Lsn from;
    Position within{};  // StoredPosition's, while it counts
    // It doesn't any more: another publication counts otherwise. The transaction comes as a whole.
    bool comes_again = false;
    Because because = Because::stored;
    // To be stored before the slot is confirmed; none when it is stored already.
    std::optional<StoredPosition> store_first;

    ResumePoint point() const noexcept { return {from, within}; }
};

// What the store says of itself, for the errors.
struct StoreWords {
    std::string where;
};

// Of another system or database than the one that answers.
bool belongs_elsewhere(const StoredPosition& stored, const SourceIdentity& source) noexcept;

[[nodiscard]] Result<StartPlan> plan_start(std::string_view pipeline,
                                           const PositionStore::Loaded& loaded,
                                           const SourceIdentity& source, const StoreWords& store);

}  // namespace pgc
