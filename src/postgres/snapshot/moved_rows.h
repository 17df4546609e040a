// Rows that move, while their table is half done, from what is left of it into what was read.
//
// A change that gives a row a new key may leave out values that did not change (TOAST). If what was
// read holds its new place and not its old one, nobody would ever send these values: so the row is
// read once more, by its new key. Where changes come by another key than the one that orders the
// table, no such row can be found, and the table is read again.
//
// Threads: one, the owner's.
#pragma once

#include "core/by_slot.h"
#include "core/change.h"
#include "core/relation.h"
#include "postgres/snapshot/group_tables.h"
#include "postgres/snapshot/jobs.h"

namespace pgc {

class MovedRows {
public:
    // Both outlive it.
    MovedRows(SnapshotJobs& jobs, GroupTables& tables) noexcept : jobs_(jobs), tables_(tables) {}

    // Changes of the stream come by.
    void watch(const Batch& batch);
    // A group has begun, whose tables may be ordered otherwise.
    void ask_keys_again() noexcept { known_keys_.clear(); }

private:
    bool watches() const noexcept;
    void changes_come_by(const Relation& relation);
    void move(const Change& change);

    SnapshotJobs& jobs_;
    GroupTables& tables_;
    BySlot<bool> known_keys_;  // changes_come_by() was called for it
};

}  // namespace pgc
