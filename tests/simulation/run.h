// One seeded run: the whole engine, life after life, in a world that breaks, until every
// committed row is durable or a loss has been told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/mutation.h"

namespace pgc::sim {

struct RunOptions {
    std::uint64_t seed = 1;
    bool real = true;  // PostgresSource over its link's twin and the native format; else a
                       // source and a format made for this, by which the engine alone is tried
    bool trace = false;
    Mutation mutation = Mutation::none;
};

struct Verdict {
    std::string failure;  // empty: passed
    std::vector<std::string> trace;
    std::size_t rows = 0;
    std::size_t repeats = 0;
    std::size_t lives = 0;
    std::uint64_t waits = 0;
    bool loss = false;

    bool passed() const noexcept { return failure.empty(); }
};

Verdict run(const RunOptions& options);

}  // namespace pgc::sim
