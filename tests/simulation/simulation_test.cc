// simulation_test                      the gtest cases below; how many seeds the big one runs:
//                                      PGC_SIMULATION_SEEDS, else kSeeds_default
// simulation_test --seeds N [--from N] the same seeds without gtest: "N passed, N failed"
// simulation_test --seed N             one seed, with a trace of what happened
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "simulation/run.h"

namespace pgc::sim {
namespace {

constexpr std::uint64_t kSeeds_default = 500;

// Three in four run the postgres room and the native format, the fourth the engine alone.
RunOptions options_of(std::uint64_t seed) {
    return {.seed = seed, .real = seed % 4 != 0};
}

struct Tally {
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    std::uint64_t first_failed = 0;
    std::string first_failure;
    std::uint64_t rows = 0, repeats = 0, lives = 0, losses = 0, takeovers = 0, moves = 0;
    std::uint64_t streamed = 0, aborted = 0, prepared = 0, decided = 0;
    std::uint64_t with_snapshots = 0, crashed_in_snapshots = 0;  // seeds
    SnapshotVerdict snapshots;
    std::uint64_t with_registry = 0;  // seeds
    RegistryCounts registry;

    void add(const RegistryCounts& more) {
        with_registry += more.twins > 0 ? 1U : 0U;
        registry.waits += more.waits;
        registry.failures += more.failures;
        registry.refusals += more.refusals;
        registry.twins += more.twins;
        registry.protobuf += more.protobuf;
    }
    void add(const SnapshotVerdict& more) {
        with_snapshots += more.reads > 0 ? 1U : 0U;
        crashed_in_snapshots += more.crashes > 0 ? 1U : 0U;
        snapshots.reads += more.reads;
        snapshots.groups += more.groups;
        snapshots.crashes += more.crashes;
        snapshots.late_waits += more.late_waits;
        snapshots.requests += more.requests;
        snapshots.altered += more.altered;
        snapshots.cuts += more.cuts;
        snapshots.timeouts += more.timeouts;
        snapshots.splits += more.splits;
        snapshots.lost += more.lost;
        snapshots.recoveries += more.recoveries;
        snapshots.reloads += more.reloads;
    }
    void print() const {
        fmt::print(
            "{} passed, {} failed; {} rows, {} repeated, {} lives, {} losses told, {} takeovers, "
            "{} moves between publications\n",
            passed, failed, rows, repeats, lives, losses, takeovers, moves);
        fmt::print(
            "streamed: {} transactions before their commit, {} aborted, or parts of them; {} "
            "prepared, of {} only the commit was sent later\n",
            streamed, aborted, prepared, decided);
        fmt::print(
            "snapshots: {} seeds, {} rows in {} groups; {} crashes within one ({} seeds), {} "
            "requests\n",
            with_snapshots, snapshots.reads, snapshots.groups, snapshots.crashes,
            crashed_in_snapshots, snapshots.requests);
        fmt::print(
            "           {} waits for a late commit, {} tables altered, {} split, {} readers cut, "
            "{} timeouts, {} lost, {} recoveries, {} reloads into files\n",
            snapshots.late_waits, snapshots.altered, snapshots.splits, snapshots.cuts,
            snapshots.timeouts, snapshots.lost, snapshots.recoveries, snapshots.reloads);
        fmt::print(
            "registry: {} seeds, {} messages with a schema ({} of Protobuf); {} waits, {} "
            "failures, "
            "{} refusals\n",
            with_registry, registry.twins, registry.protobuf, registry.waits, registry.failures,
            registry.refusals);
    }
};

Tally run_seeds(std::uint64_t from, std::uint64_t count) {
    Tally tally;
    for (std::uint64_t seed = from; seed < from + count; ++seed) {
        const Verdict verdict = run(options_of(seed));
        tally.rows += verdict.rows;
        tally.repeats += verdict.repeats;
        tally.lives += verdict.lives;
        tally.losses += verdict.loss ? 1U : 0U;
        tally.takeovers += verdict.takeovers;
        tally.moves += verdict.moves;
        tally.streamed += verdict.streamed;
        tally.aborted += verdict.aborted;
        tally.prepared += verdict.prepared;
        tally.decided += verdict.decided;
        tally.add(verdict.snapshots);
        tally.add(verdict.registry);
        if (verdict.passed()) {
            ++tally.passed;
            continue;
        }
        fmt::print(stderr, "seed {}: {}\n", seed, verdict.failure);
        if (tally.failed++ == 0) {
            tally.first_failed = seed;
            tally.first_failure = verdict.failure;
        }
    }
    return tally;
}

std::uint64_t seeds_wanted() {
    const char* text = std::getenv("PGC_SIMULATION_SEEDS");
    return text == nullptr ? kSeeds_default : std::strtoull(text, nullptr, 10);
}

TEST(SimulationTest, EverySeedDeliversEverythingOrTellsOfALoss) {
    const Tally tally = run_seeds(1, seeds_wanted());
    EXPECT_EQ(tally.failed, 0U) << "replay: simulation_test --seed " << tally.first_failed << " ("
                                << tally.first_failure << ")";
    EXPECT_GT(tally.passed, 0U);
    // Else what is looked for never happened.
    const SnapshotVerdict& had = tally.snapshots;
    for (const std::size_t count :
         {had.reads, had.crashes, had.late_waits, had.requests, had.altered, had.splits, had.cuts,
          had.timeouts, had.lost, had.recoveries, had.reloads}) {
        EXPECT_GT(count, 0U);
    }
    EXPECT_GT(tally.takeovers, 0U);
    EXPECT_GT(tally.moves, 0U);
    EXPECT_GT(tally.streamed, 0U);
    EXPECT_GT(tally.aborted, 0U);
    EXPECT_GT(tally.prepared, 0U);
    EXPECT_GT(tally.decided, 0U);
    EXPECT_GT(tally.registry.twins, 0U);
    EXPECT_GT(tally.registry.protobuf, 0U);
    EXPECT_GT(tally.registry.waits, 0U);
    EXPECT_GT(tally.registry.failures, 0U);
    EXPECT_GT(tally.registry.refusals, 0U);
    RecordProperty("seeds", std::to_string(tally.passed));
    tally.print();
}

TEST(SimulationTest, ASeedReplaysExactly) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        RunOptions options = options_of(seed);
        options.trace = true;
        const Verdict once = run(options);
        const Verdict again = run(options);
        EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
        options.trace = false;
        EXPECT_EQ(run(options).waits, once.waits) << "seed " << seed << ", which is not watched";
    }
}

// The oracle can fail: with a law broken on purpose some seed soon finds it out.
class MutationTest : public testing::TestWithParam<Mutation> {};

TEST_P(MutationTest, IsFoundOut) {
    constexpr std::uint64_t within = 4000;
    for (std::uint64_t seed = 1; seed <= within; ++seed) {
        RunOptions options = options_of(seed);
        options.mutation = GetParam();
        const Verdict verdict = run(options);
        if (verdict.passed()) continue;
        fmt::print("seed {}: {}\n", seed, verdict.failure);
        return;
    }
    FAIL() << "none of " << within << " seeds noticed";
}

INSTANTIATE_TEST_SUITE_P(All, MutationTest, testing::ValuesIn(kMutations),
                         [](const auto& with) { return std::string{name(with.param)}; });

int replay(std::uint64_t seed) {
    RunOptions options = options_of(seed);
    options.trace = true;
    const Verdict verdict = run(options);
    for (const std::string& line : verdict.trace) fmt::print("{}\n", line);
    fmt::print("seed {}: {}\n", seed, verdict.passed() ? "passed" : verdict.failure);
    return verdict.passed() ? 0 : 1;
}

}  // namespace
}  // namespace pgc::sim

int main(int argc, char** argv) {
    using namespace pgc::sim;
    testing::InitGoogleTest(&argc, argv);
    std::uint64_t seeds = 0;
    std::uint64_t from = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view word = argv[i];
        std::uint64_t number = 0;
        const char* text = argv[i + 1];
        std::from_chars(text, text + std::strlen(text), number);
        if (word == "--seed") return replay(number);
        if (word == "--seeds") seeds = number;
        if (word == "--from") from = number;
    }
    if (seeds == 0) return RUN_ALL_TESTS();
    const Tally tally = run_seeds(from, seeds);
    tally.print();
    return tally.failed == 0 ? 0 : 1;
}
