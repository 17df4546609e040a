// Randomness comes in from outside: one seeded generator, handed down.
// splitmix64: small state, good enough for jitter and simulations, not for secrets.
#pragma once

#include <cstdint>

namespace pgc {

class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31);
    }

    // Uniform enough in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

    bool chance(unsigned percent) noexcept { return below(100) < percent; }

private:
    std::uint64_t state_;
};

}  // namespace pgc
