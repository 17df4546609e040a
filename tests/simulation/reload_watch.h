// Judges reloads as a loader sees them that trusts the registry alone, at each seal:
//
//   one truth  a reload is open in the registry if and only if the position that is stored with it
//              has a snapshot that still reads the table
//   modes      what a table is said to be at is what its reloads are at
//   whole      a reload that is complete has files, registered by the same seal, which have so many
//              rows as it says, and each row that the table held from where it was ordered to its
//              end: with the changes that committed after it was ordered, nothing is missing
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "postgres/snapshot/progress.h"
#include "simulation/history.h"
#include "simulation/world.h"
#include "sink/file/simulated_disk.h"
#include "sink/file_registry/simulated_registry.h"

namespace pgc::sim {

class ReloadWatch {
public:
    ReloadWatch(World& world, const History& history) : world_(world), history_(history) {}

    void look(const SimulatedRegistryServer::Pipeline& known, SimulatedDisk& disk);
    std::size_t complete() const noexcept { return complete_; }

private:
    using Pipeline = SimulatedRegistryServer::Pipeline;

    void check_open(const Pipeline& known, const std::vector<SnapshotJob>& jobs);
    void check_done(const Pipeline& known, const std::vector<SnapshotJob>& jobs);
    void check_modes(const Pipeline& known);
    void check_complete(const ReloadOperation& reload, const Pipeline& known, SimulatedDisk& disk);
    // Keys that the table holds at each place from `from` to `to`.
    std::set<std::int64_t> held(std::uint32_t table, Lsn from, Lsn to) const;

    World& world_;
    const History& history_;
    std::set<std::string> judged_;  // who ordered them, and their tables
    std::size_t complete_ = 0;
};

}  // namespace pgc::sim
