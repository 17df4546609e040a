// Judges how soon what is durable is stored: what is durable and not stored comes again after a
// kill. So, whatever happens, of what the sink has said to be durable, up to a place where the
// stream could go on,
//   - nothing waits longer than a second to be stored,
//   - nor do more records than are allowed,
//   - and the first of a life do not wait at all (what is no row here, a logical message say, may
//     have been the first),
// but for a save that is under way. What the sink has, and has not said, is in flight.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "simulation/world.h"

namespace pgc::sim {

class RepeatsOracle {
public:
    explicit RepeatsOracle(World& world) : world_(world) {}

    // `slack`: records of the transaction that begins in the batch that ends the last one.
    void allows(std::uint64_t records, std::uint64_t slack) noexcept {
        allowed_ = records;
        slack_ = slack;
    }
    void life_begins() {
        reported_.clear();
        saving_ = false;
        first_ = true;
        records_ = 0;
        idle_since_ = world_.clock.now();
    }
    // By the sink: the first `rows` of the history are durable, which are whole transactions;
    // `records` came with those that were not before.
    void reported(std::size_t rows, std::uint64_t records) {
        records_ += records;
        if (records_ > 0) reported_.push_back({rows, records_, world_.clock.now()});
    }
    std::size_t rows_reported() const noexcept {
        return reported_.empty() ? 0 : reported_.back().rows;
    }

    void save_begins() noexcept { saving_ = true; }
    void save_ends() noexcept {
        saving_ = false;
        idle_since_ = world_.clock.now();
    }
    // Nothing of the first `rows` is sent again. `moved`: the stored position did.
    void stored(std::size_t rows, bool moved) {
        std::uint64_t done = 0;
        while (!reported_.empty() && reported_.front().rows <= rows) {
            done = reported_.front().records;
            reported_.pop_front();
        }
        if (moved) first_ = false;
        records_ -= done;
        for (Reported& later : reported_) later.records -= done;
    }

    // Whenever time has moved.
    void look() {
        if (reported_.empty() || saving_) return;
        const Instant now = world_.clock.now();
        const Duration wait = first_ ? Duration{0} : kStore_every;
        if (now > std::max(reported_.front().at + wait, idle_since_) + kSoon) {
            world_.fail(fmt::format("{} records are durable and not stored for {} ms",
                                    reported_.front().records,
                                    (now - reported_.front().at) / std::chrono::milliseconds{1}));
        }
        const auto too_many = std::ranges::find_if(reported_, [&](const Reported& reported) {
            return reported.records > allowed_ + slack_;
        });
        if (too_many != reported_.end() && now > std::max(too_many->at, idle_since_) + kSoon) {
            world_.fail(fmt::format("{} records are durable and not stored; {} are allowed",
                                    too_many->records, allowed_));
        }
    }

private:
    static constexpr Duration kStore_every = std::chrono::seconds{1};
    static constexpr Duration kSoon = std::chrono::milliseconds{1};

    struct Reported {
        std::size_t rows;
        std::uint64_t records;  // since what is stored
        Instant at;
    };

    World& world_;
    std::uint64_t allowed_ = 0;
    std::uint64_t slack_ = 0;
    std::deque<Reported> reported_;
    std::uint64_t records_ = 0;
    bool first_ = true;
    bool saving_ = false;
    Instant idle_since_;
};

}  // namespace pgc::sim
