// Statements that alter tables, in the simulated world: after the rows of some transactions comes a
// message such as the event trigger emits. Which ones, and of which table, follows from the
// commit's LSN, so that a stream that is read again has the same.
//
// The law: what was reported and is before the stored position is in ddl_history once, in order;
// and in the ddl.sql of one batch of its table, or noted for one that is open.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/lsn.h"
#include "core/transform.h"
#include "simulation/history.h"
#include "simulation/world.h"
#include "sink/file/simulated_disk.h"
#include "sink/file_registry/simulated_registry.h"

namespace pgc::sim {

class DdlLaw {
public:
    DdlLaw(World& world, const History& history) : world_(world), history_(history) {}

    static bool alters(Lsn commit) noexcept;
    static std::uint32_t table_of(Lsn commit) noexcept;
    static std::string statement_of(Lsn commit);

    // The stream has shown it.
    void reported(Lsn commit) { reported_.insert(commit); }
    // What the registry has committed, and what is on the disk. `complete`: nothing was lost on the
    // way to us.
    void look(const SimulatedRegistryServer::Pipeline& known, const SimulatedDisk& disk,
              bool complete);

private:
    using Noted = std::map<TableId, std::vector<Lsn>>;
    void look_at_history(const SimulatedRegistryServer::Pipeline& known, bool complete);
    bool read_batches(const SimulatedRegistryServer::Pipeline& known, const SimulatedDisk& disk,
                      Noted& noted);
    bool note_text(const CompleteFile& file, const SimulatedDisk& disk, Noted& noted);
    void look_at_batches(const SimulatedRegistryServer::Pipeline& known);
    bool is_committed(Lsn commit) const;

    World& world_;
    const History& history_;
    std::set<Lsn> reported_;
};

// Puts the messages into the stream.
class DdlReported final : public Transform {
public:
    explicit DdlReported(DdlLaw& law) : law_(law) {}
    Result<void> apply(Batch& batch) override;

private:
    DdlLaw& law_;
};

}  // namespace pgc::sim
