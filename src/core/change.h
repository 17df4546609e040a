// One change of one row (or table), and the batch in which changes travel.
//
// Everything is a view: cells point into the messages the batch retains, arrays into
// its arena, relations into the ones it holds. All of it lives as long as the batch is
// neither cleared nor destroyed. A batch belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/operation.h"
#include "core/position.h"
#include "core/relation.h"

namespace pgc {

struct Cell {
    enum class State : std::uint8_t {
        absent,     // the server did not send it (a non-key column of a key-only old row)
        null,       // SQL NULL
        unchanged,  // a TOASTed value that did not change and was not sent: unknown to us
        text,       // bytes are in the type's text form
        binary,     // bytes are in the type's binary form
    };
    const char* data = nullptr;
    std::uint32_t size = 0;
    State state = State::absent;
    bool reselected = false;  // not from the stream: the value as it is now, not as it was

    std::string_view bytes() const noexcept { return {data, size}; }
};

// A logical message (pg_logical_emit_message).
struct Message {
    std::string_view prefix;
    std::string_view content;
    bool transactional = false;
};

// Which of its table's rows, and of all, a row of a snapshot of everything is, in the order in
// which they are written. Of two the last one counts: of a row alone that it ends its table, unless
// it is the first of all.
enum class SnapshotMark : std::uint8_t {
    within,
    first_of_table,
    last_of_table,
    first,      // of all
    last,       // of all
    requested,  // of a snapshot that was requested while the stream runs, wherever it is in it
};

struct Change {
    // An update that gives its row another key is split into two changes after the transforms and
    // before the format (pipeline/key_changes.h): a removal under the old key, then an insertion
    // under the new one, both with its ordinal. Of any other change it is `whole`.
    enum class Part : std::uint8_t { whole, old_key, new_key };

    Operation operation = Operation::insert;
    Part part = Part::whole;
    SnapshotMark mark = SnapshotMark::within;
    bool before_is_full = false;  // of `before`: the whole old row, not only its key
    bool truncate_cascade = false;
    bool truncate_restarts_identity = false;
    const Relation* relation = nullptr;  // null for a message
    const Cell* before = nullptr;        // relation->columns.size() cells; null: not sent
    const Cell* after = nullptr;         // likewise; null for remove, truncate and message
    const Message* message = nullptr;
    Lsn lsn;  // the change's own; not unique
    std::uint64_t ordinal = 0;
};

// A transaction's part in a batch. A transaction may span many batches.
struct Transaction {
    Xid xid;
    Lsn commit_lsn;
    Lsn end_lsn;  // where the stream goes on after it; none until `ends`
    WallTime committed_at;
    std::uint32_t first = 0;  // its changes are [first, first + count) of Batch::changes
    std::uint32_t count = 0;
    bool ends = false;  // its commit is in this batch
};

class Batch {
public:
    Batch() = default;
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    ~Batch() { clear(); }

    Lane lane = kStreamLane;
    WallTime handled_at;
    std::vector<Transaction> transactions;  // in commit order, empty ones included
    std::vector<Change> changes;
    Arena arena;
    Position end;           // of the last thing in it
    Lsn resume_at;          // end_lsn of its last whole transaction; none if it ends none
    std::size_t bytes = 0;  // of the retained messages

    bool empty() const noexcept { return transactions.empty(); }

    // Keeps `memory` until clear(), then calls release(memory).
    void retain(void* memory, std::size_t size, void (*release)(void*)) {
        retained_.push_back({memory, release});
        bytes += size;
    }
    // Drops the part of its last transaction that later batches would continue, if there are others
    // before it.
    void drop_unfinished() noexcept {
        if (transactions.size() < 2 || transactions.back().ends) return;
        changes.resize(transactions.back().first);
        transactions.pop_back();
        end = Position::whole(transactions.back().commit_lsn);
    }
    void hold(RelationPtr relation) { relations_.push_back(std::move(relation)); }
    const std::vector<RelationPtr>& relations() const noexcept { return relations_; }

    void clear() noexcept {
        for (const Retained& held : retained_) held.release(held.memory);
        retained_.clear();
        relations_.clear();
        transactions.clear();
        changes.clear();
        arena.clear();
        lane = kStreamLane;
        end = {};
        resume_at = {};
        bytes = 0;
    }

private:
    struct Retained {
        void* memory;
        void (*release)(void*);
    };
    std::vector<Retained> retained_;
    std::vector<RelationPtr> relations_;
};

}  // namespace pgc
