#include "simulation/turns.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pgc::sim {

Turns::~Turns() {
    if (second_.joinable()) second_.join();
}

void Turns::begin_second(std::function<void()> life) {
    seats_[1].alive = true;
    seats_[1].ready = [] { return Instant{}; };
    second_ = std::thread{[this, life = std::move(life)] {
        seats_[1].turn.acquire();
        life();
        seats_[1].alive = false;
        world_.now_runs(0);
        seats_[0].turn.release();
    }};
}

void Turns::let_second_end() {
    while (second_is_there()) {
        seats_[0].ready = [] { return kNever; };
        hand_to(1);
    }
}

bool Turns::is_ready(std::size_t seat) const {
    const Seat& one = seats_[seat];
    return one.ready && (world_.failed() || one.ready() <= world_.clock.now());
}

void Turns::hand_to(std::size_t seat) {
    const std::size_t mine = world_.instance();
    world_.now_runs(seat);
    seats_[seat].turn.release();
    seats_[mine].turn.acquire();
}

void Turns::sleep(std::function<Instant()> ready) {
    const std::size_t mine = world_.instance();
    const std::size_t other = 1 - mine;
    const auto other_may_run = [&] { return (mine == 1 || seats_[1].alive); };
    seats_[mine].ready = std::move(ready);
    while (true) {
        if (other_may_run() && is_ready(other)) {
            hand_to(other);
            break;  // it is our turn again because we were ready, or it has ended
        }
        if (is_ready(mine)) break;
        Instant until = std::min(seats_[mine].ready(), world_.next_event());
        if (other_may_run()) until = std::min(until, seats_[other].ready());
        if (until == kNever) {
            world_.fail("it waits for nothing, for ever");
            continue;
        }
        // A wait takes time, however little: a loop that only spins is seen.
        const Instant soon = world_.clock.now() + std::chrono::microseconds{1};
        world_.clock.advance_to(std::max(until, soon));
        world_.happen();
        looked_at_();
    }
    if (world_.failed()) throw Unfinished{};
    if (!is_ready(mine)) sleep(std::exchange(seats_[mine].ready, {}));
    seats_[mine].ready = {};
}

}  // namespace pgc::sim
