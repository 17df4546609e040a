// What each table is at: streamed, to be reloaded, or being reloaded; and the reloads themselves,
// as the registry has them.
//
//   streaming ── ordered ──▶ pending_reload ── its first rows are read ──▶ reloading ──┐
//       ▲                          │ called off, failed                                │
//       └──────────────────────────┴──────────── all rows read, or called off ◀────────┘
//
// What is reported is written with the seal that follows, together with the position and what is
// left of the snapshot: so none of the three can say that a reload is over of which another knows
// that it is not. A reload is complete with the seal that registers its full_reload file.
//
// The same may come again after a crash; it changes nothing. Pure. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "core/snapshot.h"
#include "sink/file_registry/registry.h"

namespace pgc {

class ReloadBook {
public:
    // As the registry has it.
    void restore(const RegistryContent& content);

    // True if that is something to be written.
    bool take(const ReloadChange& change, WallTime now);
    // A snapshot's rows of the table were all written, or are not to be.
    void table_ended(const SnapshotTableEnd& table, WallTime now);

    // Adds what has changed to a seal of which `complete` is filled in already. That seal is
    // committed, or nothing of this is used any more.
    void add_to(RegistrySeal& seal, WallTime now);

private:
    struct Entry {
        ReloadOperation reload;
        bool changed = false;
        bool read = false;  // all of it is in files that the next seal registers
    };
    using Key = std::pair<TableId, std::string>;  // and the snapshot's id

    bool fail(const std::function<bool(const std::string&)>& ended, const std::string& problem,
              WallTime now);
    Entry& entry(const ReloadChange& change, WallTime now);
    static void complete(const Key& key, ReloadOperation& reload, const RegistrySeal& seal,
                         WallTime now);
    TableMode mode_of(const TableId& table) const;

    std::map<Key, Entry> entries_;        // that are not over
    std::map<TableId, TableMode> modes_;  // as sealed; those that are missing are streamed
};

}  // namespace pgc
