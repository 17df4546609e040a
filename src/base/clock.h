// Time comes in from outside: whoever needs it takes a Clock, so that a simulation
// can be the clock. This is the only room that may ask the operating system.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace pgc {

using Duration = std::chrono::nanoseconds;

// A moment for measuring distances; never jumps. The only thing timers may use.
struct Instant {
    Duration since_origin{0};

    constexpr auto operator<=>(const Instant&) const = default;
    friend constexpr Instant operator+(Instant at, Duration by) { return {at.since_origin + by}; }
    friend constexpr Duration operator-(Instant a, Instant b) {
        return a.since_origin - b.since_origin;
    }
};

inline constexpr Instant kNever{Duration::max()};

// A moment for people: microseconds since 1970-01-01 UTC. May jump either way.
struct WallTime {
    std::int64_t unix_us = 0;
    constexpr auto operator<=>(const WallTime&) const = default;
};

class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    virtual Instant now() const noexcept = 0;
    virtual WallTime wall() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    Instant now() const noexcept override {
        return {std::chrono::steady_clock::now().time_since_epoch()};
    }
    WallTime wall() const noexcept override {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
    }
};

}  // namespace pgc
