// The protocol counts microseconds from 2000-01-01 UTC, we from 1970-01-01.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace pgc::pgoutput {

inline constexpr std::uint64_t kEpochShift_us = 946'684'800'000'000;

// Wraps around on times no server sends.
constexpr WallTime from_wire(std::uint64_t time) noexcept {
    return {static_cast<std::int64_t>(time + kEpochShift_us)};
}
constexpr std::uint64_t to_wire(WallTime time) noexcept {
    return static_cast<std::uint64_t>(time.unix_us) - kEpochShift_us;
}

}  // namespace pgc::pgoutput
