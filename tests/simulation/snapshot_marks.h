// A watch that rows of a snapshot of everything say truly which of them they are
// (core/change.h: SnapshotMark), as far as one attempt sees them.
//
//   first   it is the first row of all, and comes once; where rows were sent before, never. It may
//           be the only one of its table
//   tables  the first row of each says so, if nothing of the table was known as sent; of a table
//           with a key none does later. Behind the last one of a place comes none of that place
//   last    the last row of its place; every table that was read there has ended there. Where
//           all tables have, there is one
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/snapshot.h"
#include "core/transform.h"
#include "simulation/history.h"
#include "simulation/snapshot_oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

class MarksWatch final : public Transform {
public:
    MarksWatch(World& world, const SnapshotOracle& oracle) : world_(world), oracle_(oracle) {
        for (const SnapshotJob& job : oracle.jobs()) {
            if (!job.all()) continue;
            begun_ = job.begun;
            known_ = job.done;
            for (const auto& [oid, open] : job.open) {
                if (open.begun) known_.insert(oid);
            }
        }
    }
    ~MarksWatch() override {
        const bool over = std::ranges::none_of(oracle_.jobs(), &SnapshotJob::all);
        if (!over || begun_ || places_.size() != 1) return;
        const auto& [place, tables] = *places_.begin();
        if (only_first_ && tables.contains(only_first_)) ended_[place].insert(only_first_);
        const bool all = tables.size() == kTables && ended_[place] == tables;
        if (all && last_ != place) world_.fail("all was read at one place, and has no last row");
    }

    Result<void> apply(Batch& batch) override {
        if (batch.lane != kSnapshotLane) return {};
        for (const Change& change : batch.changes) {
            if (change.mark != SnapshotMark::requested) look_at(change);
        }
        return {};
    }

private:
    void look_at(const Change& change) {
        const Oid table = change.relation->oid;
        const SnapshotMark mark = change.mark;
        const bool ends = mark == SnapshotMark::last || mark == SnapshotMark::last_of_table;
        const bool begins = mark == SnapshotMark::first || mark == SnapshotMark::first_of_table;
        const auto wrong = [&](const char* what) {
            world_.fail(fmt::format("row {} of {} at {} {}", change.ordinal,
                                    name_of(table.value - kFirstOid), to_string(change.lsn), what));
        };
        // A row that moved while the last ones were on their way comes later, at another place.
        if (last_ == change.lsn) wrong("comes behind the last row");
        // One without a key starts over in each group, and so may all.
        const bool sent =
            std::ranges::any_of(seen_, [](Oid oid) { return is_keyed(oid.value - kFirstOid); });
        if (mark == SnapshotMark::first && (begun_ || sent)) wrong("is not the first");
        if (seen_.empty() && !begun_ && !ends && mark != SnapshotMark::first) {
            wrong("is the first, and does not say so");
        }
        const bool is_known = known_.contains(table) || seen_.contains(table);
        if (!is_known && !begins && !ends) wrong("is the first of its table, and does not say so");
        if (is_known && begins && is_keyed(table.value - kFirstOid)) {
            wrong("is not the first of its table");
        }
        std::set<Oid>& ended = ended_[change.lsn];
        if (ended.contains(table)) wrong("comes behind the last row of its table");
        if (ends) ended.insert(table);
        // The only row of its table, perhaps.
        if (mark == SnapshotMark::first) only_first_ = table;
        if (only_first_ == table && mark != SnapshotMark::first) only_first_ = {};
        seen_.insert(table);
        places_[change.lsn].insert(table);
        if (mark != SnapshotMark::last) return;
        last_ = change.lsn;
        if (only_first_ && places_[change.lsn].contains(only_first_)) ended.insert(only_first_);
        if (ended != places_[change.lsn]) wrong("is the last, though some table has not ended");
    }

    World& world_;
    const SnapshotOracle& oracle_;
    bool begun_ = false;
    std::set<Oid> known_;  // rows of them were sent before
    std::set<Oid> seen_;
    Oid only_first_;                       // of which the first row of all is the only one so far
    std::map<Lsn, std::set<Oid>> places_;  // which tables have rows there
    std::map<Lsn, std::set<Oid>> ended_;
    Lsn last_;
};

}  // namespace pgc::sim
