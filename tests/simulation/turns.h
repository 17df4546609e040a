// Two instances of us in one world. One runs at a time, and hands over where it sleeps: so a seed
// with two replays exactly like one with one. What is called here runs on the thread of the
// instance that is running; each has one, whose stack is what it is in the middle of.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <semaphore>
#include <thread>

#include "simulation/world.h"

namespace pgc::sim {

class Turns {
public:
    // `looked_at` is called whenever time has moved, and may throw.
    Turns(World& world, std::function<void()> looked_at)
        : world_(world), looked_at_(std::move(looked_at)) {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;
    // Requires: the second one has ended.
    ~Turns();

    // Called by the first one: `life` is the second one's, from its next turn on.
    void begin_second(std::function<void()> life);
    bool second_is_there() const noexcept { return seats_[1].alive; }
    // Called by the first one: the second one runs, where it is, until it has ended by itself.
    void let_second_end();

    // The world goes on, and so may the other one, until `ready` has come, or the run has failed
    // (Unfinished is thrown).
    void sleep(std::function<Instant()> ready);

private:
    struct Seat {
        std::function<Instant()> ready;
        std::binary_semaphore turn{0};
        bool alive = false;
    };
    bool is_ready(std::size_t seat) const;
    void hand_to(std::size_t seat);

    World& world_;
    const std::function<void()> looked_at_;
    std::array<Seat, 2> seats_;
    std::thread second_;
};

}  // namespace pgc::sim
