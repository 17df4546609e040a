// One seeded run: the whole engine, life after life, in a world that breaks, until every
// committed row is durable or a loss has been told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/mutation.h"
#include "simulation/registry_twin.h"

namespace pgc::sim {

struct RunOptions {
    std::uint64_t seed = 1;
    bool real = true;  // PostgresSource over a fake of its link and the native format; else a
                       // source and a format made for this, by which the engine alone is tried
    bool trace = false;
    Mutation mutation = Mutation::none;
};

// What there was of snapshots, so that one sees that it was tried.
struct SnapshotVerdict {
    std::size_t reads = 0;       // rows, durable
    std::size_t groups = 0;      // places of the log at which tables were read
    std::size_t crashes = 0;     // of our process, while one was under way
    std::size_t late_waits = 0;  // of the making of a slot, for a commit that hung
    std::size_t requests = 0;    // taken by the pipeline
    std::size_t altered = 0;     // tables, between the snapshot and their reading
    std::size_t cuts = 0;        // of readers, in mid-COPY
    std::size_t timeouts = 0;    // likewise
    std::size_t splits = 0;      // of tables into ranges
    std::size_t lost = 0;        // exported snapshots, for no reason
    std::size_t recoveries = 0;  // from lost changes
    std::size_t reloads = 0;     // of tables in files, complete
};

struct Verdict {
    std::string failure;  // empty: passed
    std::vector<std::string> trace;
    std::size_t rows = 0;
    std::size_t repeats = 0;
    std::size_t lives = 0;
    std::uint64_t waits = 0;
    std::size_t takeovers = 0;  // of a slot that was held, by force
    std::size_t moves = 0;      // of tables to another publication, with rows that follow
    std::size_t streamed = 0;   // transactions that came before their commit
    std::size_t aborted = 0;    // such, or parts of such, that were aborted
    std::size_t prepared = 0;   // transactions
    std::size_t decided = 0;    // of which only the commit was sent then, their rows earlier
    bool loss = false;
    SnapshotVerdict snapshots;
    RegistryCounts registry;

    bool passed() const noexcept { return failure.empty(); }
};

Verdict run(const RunOptions& options);

}  // namespace pgc::sim
