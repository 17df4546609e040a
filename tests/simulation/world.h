// One seed's world: time, chance and what is still to happen.
//
// Everything that takes part asks step() at each of its calls; one of those calls is where
// the process dies, if this life of it is to end that way (Crash is thrown, all of our
// objects go, the server, the disk and the destination stay).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "support/simulated_time.h"

namespace pgc::sim {

struct Crash {};

// Thrown to end a life whose run has failed.
struct Unfinished {};

class World {
public:
    World(std::uint64_t number, bool trace)
        : seed(number), random(number * 0x9E3779B97F4A7C15U + 1), tracing_(trace) {}

    const std::uint64_t seed;
    Random random;
    SimulatedClock clock;

    void after(Duration time, std::function<void()> action) {
        events_.emplace(clock.now() + time, std::move(action));
    }
    Instant next_event() const { return events_.empty() ? kNever : events_.begin()->first; }
    void happen() {
        while (!events_.empty() && events_.begin()->first <= clock.now()) {
            auto action = std::move(events_.begin()->second);
            events_.erase(events_.begin());
            action();
        }
    }

    // Descriptors of what is faked: each can say when it will be readable.
    int open_descriptor(std::function<Instant()> readable_at) {
        const int fd = next_descriptor_++;
        descriptors_.emplace(fd, std::move(readable_at));
        return fd;
    }
    void close_descriptor(int fd) { descriptors_.erase(fd); }
    Instant readable_at(int fd) const {
        const auto found = descriptors_.find(fd);
        return found == descriptors_.end() ? kNever : found->second();
    }

    // Of our instances (turns.h), the one that runs now.
    std::size_t instance() const noexcept { return instance_; }
    void now_runs(std::size_t instance) noexcept { instance_ = instance; }

    // A point at which the process that runs may die, or stand still for a while.
    void step(const char* where) {
        Fate& fate = fates_[instance_];
        if (fate.stands_still_for > Duration{0}) {
            const Duration time = std::exchange(fate.stands_still_for, Duration{0});
            note("frozen at ", where);
            const Instant until = clock.now() + time;
            sleep_([until] { return until; });
            note("awake at ", where);
        }
        if (fate.dies_in == 0 || --fate.dies_in > 0) return;
        note("crash at ", where);
        throw Crash{};
    }
    void die_in(std::uint64_t steps) noexcept { fates_[instance_].dies_in = steps; }
    void nobody_dies() noexcept {
        for (Fate& fate : fates_) fate = {.life = fate.life};
    }
    // Between two instructions; what others do to it meanwhile it finds when it wakes up.
    void freeze(std::size_t instance, Duration time) noexcept {
        fates_[instance].stands_still_for = time;
    }
    void freezes_by(std::function<void(std::function<Instant()>)> sleep) {
        sleep_ = std::move(sleep);
    }
    // Which of all lives the one that runs is in.
    std::uint64_t life() const noexcept { return fates_[instance_].life; }
    void life_begins() noexcept { fates_[instance_] = {.life = ++lives_}; }

    Duration between(Duration least, Duration most) {
        return least + Duration{static_cast<Duration::rep>(
                           random.below(static_cast<std::uint64_t>((most - least).count()) + 1))};
    }

    // What went wrong, for good: the first one counts.
    void fail(std::string what) {
        note("FAILED: ", what);
        if (failure_.empty()) failure_ = std::move(what);
    }
    bool failed() const noexcept { return !failure_.empty(); }
    const std::string& failure() const noexcept { return failure_; }

    bool tracing() const noexcept { return tracing_; }
    template <typename... Words>
    void note(Words&&... words) {
        if (!tracing_) return;
        std::string line =
            std::to_string((clock.now().since_origin.count() - 3'600'000'000'000) / 1000) +
            (instance_ == 0 ? " us  " : " us      ");
        (line.append(words), ...);
        trace_.push_back(std::move(line));
    }
    const std::vector<std::string>& trace() const noexcept { return trace_; }

private:
    std::multimap<Instant, std::function<void()>> events_;
    std::map<int, std::function<Instant()>> descriptors_;
    int next_descriptor_ = 1'000'000;
    struct Fate {
        std::uint64_t dies_in = 0;
        Duration stands_still_for{0};
        std::uint64_t life = 0;
    };
    std::array<Fate, 2> fates_;
    std::size_t instance_ = 0;
    std::uint64_t lives_ = 0;
    std::function<void(std::function<Instant()>)> sleep_;
    std::string failure_;
    const bool tracing_;
    std::vector<std::string> trace_;
};

}  // namespace pgc::sim
