// Time that moves only when somebody waits: a clock and the waiter that moves it.
//
// Nothing here sleeps. A wait ends at its deadline or when the world has something to
// happen before that (next_event), whichever is earlier. Descriptors mean nothing.
#pragma once

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "base/clock.h"
#include "base/wait.h"

namespace pgc {

class SimulatedClock final : public Clock {
public:
    Instant now() const noexcept override { return now_; }
    WallTime wall() const noexcept override {
        return {1'800'000'000'000'000 + wall_offset_us_ + now_.since_origin.count() / 1000};
    }
    void advance_to(Instant moment) noexcept { now_ = std::max(now_, moment); }
    void advance(Duration by) noexcept { now_ = now_ + by; }
    // Somebody sets the machine's clock; now() must not care.
    void jump_wall(std::chrono::microseconds by) noexcept { wall_offset_us_ += by.count(); }

private:
    Instant now_{std::chrono::hours{1}};
    std::int64_t wall_offset_us_ = 0;
};

class SimulatedWaiter final : public Waiter {
public:
    // The moment of the world's next event, kNever if there is none.
    using NextEvent = std::function<Instant()>;
    // Called after each wait, with time moved.
    using Woken = std::function<void()>;

    explicit SimulatedWaiter(SimulatedClock& clock, NextEvent next_event = {}, Woken woken = {})
        : clock_(clock), next_event_(std::move(next_event)), woken_(std::move(woken)) {}

    void wait(const Wants& wants) override {
        const Instant event = next_event_ ? next_event_() : kNever;
        const Instant until = std::min(wants.deadline, event);
        if (until == kNever) throw std::logic_error("waits for ever: nothing will wake it");
        // A wait takes time, however little: a loop that only spins is seen.
        clock_.advance_to(std::max(until, clock_.now() + std::chrono::microseconds{1}));
        ++waits_;
        if (woken_) woken_();
    }
    std::uint64_t waits() const noexcept { return waits_; }

private:
    SimulatedClock& clock_;
    NextEvent next_event_;
    Woken woken_;
    std::uint64_t waits_ = 0;
};

}  // namespace pgc
