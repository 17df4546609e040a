// Where the pipeline remembers how far it got, apart from the server's own slot.
//
// A position is stored before the slot is confirmed, never after: so the slot is
// never ahead of it unless somebody else moved the slot (pipeline/start_guard.h).
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "core/position.h"

namespace pgc {

struct StoredPosition {
    std::string pipeline;
    std::string system;  // SourceIdentity's, at the time
    std::uint32_t timeline = 0;
    std::string database;
    std::string slot;
    Lsn resume_at;  // everything that committed before is durable
    // And of the transaction that comes next, everything up to here; none: nothing. Only a sink
    // that seals stores such a place, for what it has committed must not come again.
    Position within{};
    std::string publication{};  // what `within` was counted in; empty without it
    // What is left of the snapshots (SnapshotSource::progress); empty: nothing. That one is
    // wanted is stored with the first position, so a crash right after that loses no rows.
    std::string snapshot{};
    std::string memory{};  // Source::memory(), no older than `resume_at`; empty: nothing

    ResumePoint point() const noexcept { return {resume_at, within}; }
    // The last commit of which anything is durable is not later.
    Lsn reach() const noexcept { return point().reach(); }
    bool operator==(const StoredPosition&) const = default;
};

class PositionStore {
public:
    PositionStore() = default;
    PositionStore(const PositionStore&) = delete;
    PositionStore& operator=(const PositionStore&) = delete;
    virtual ~PositionStore() = default;

    struct Loaded {
        std::optional<StoredPosition> position;  // none: this pipeline never stored one
        // Or that can't be known, because the store as a whole does not exist: it was not created
        // yet, or it was deleted. create() comes before the first save() then.
        bool store_is_missing = false;
    };
    // Looks for what was stored last. Nothing while it looks, or while a save() is under way: to be
    // called again, when wants() says so. Unreadable content is an Error.
    [[nodiscard]] virtual Result<std::optional<Loaded>> load() = 0;

    // Begins to create a store that load() found missing; the next load() shows it when it
    // is there. Of a store that is never missing as a whole it does nothing.
    virtual void create() = 0;

    // Begins to store; one at a time. An Error of this or of saved() with Category::position and
    // Next::retry: somebody else has stored since load(), where that can be seen, and nothing was
    // stored; before the next save() comes a load().
    [[nodiscard]] virtual Result<void> save(const StoredPosition& position) = 0;

    // Begins to forget the position, whatever the content is: the next load() finds none. A
    // save() as far as saved() is concerned. Content of another pipeline is an Error, and stays.
    [[nodiscard]] virtual Result<void> forget() = 0;

    // True when the last save() is safe against a crash (also when there was none). After an
    // Error it is not, and saved() never says so of it: it gives the Error again until the next
    // save(), or until load() is asked what is stored.
    [[nodiscard]] virtual Result<bool> saved() = 0;

    // Adds what load() and saved() wait for, while something is undecided.
    virtual void wants(Wants& wants) const = 0;

    // How often in a row what load() or saved() wait for has failed; 0 once it succeeds.
    virtual std::uint64_t attempts() const noexcept = 0;

    // What it is, for errors: the file's path, the topic and the key in it.
    virtual std::string where() const = 0;
};

}  // namespace pgc
