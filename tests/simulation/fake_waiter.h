// Sleeps until something that was asked for happens, while the world goes on. What nobody
// asked for wakes nobody: so a part that forgets to say what it waits for is seen.
#pragma once

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <string>

#include "base/wait.h"
#include "simulation/turns.h"
#include "simulation/world.h"

namespace pgc::sim {

class FakeWaiter final : public Waiter {
public:
    FakeWaiter(World& world, Turns& turns) : world_(world), turns_(turns) {}

    // A real descriptor that stands for "asked to end".
    void watch(int fd) noexcept { stop_fd_ = fd; }
    // Likewise, for "something was requested".
    void watch_requests(int fd) noexcept { requests_fd_ = fd; }

    void wait(const Wants& wants) override {
        world_.step("wait");
        if (++waits_ > kWaits_max) {
            world_.fail(fmt::format("it wakes all the time: deadline {}{}",
                                    (wants.deadline - world_.clock.now()).count(), fds(wants)));
            throw Unfinished{};
        }
        const Instant soon = world_.clock.now() + std::chrono::microseconds{1};
        turns_.sleep([&, soon] { return std::max(soon, ready_at(wants)); });
    }
    std::uint64_t waits() const noexcept { return waits_; }

private:
    static constexpr std::uint64_t kWaits_max = 300'000;

    std::string fds(const Wants& wants) const {
        std::string text;
        for (const Interest& interest : wants.interests) {
            text += fmt::format(", fd {} {} in {} ns", interest.fd,
                                interest.writable ? "writable" : "readable",
                                (world_.readable_at(interest.fd) - world_.clock.now()).count());
        }
        return text;
    }
    Instant ready_at(const Wants& wants) const {
        Instant ready = wants.deadline;
        for (const Interest& interest : wants.interests) {
            if (interest.fd == stop_fd_ || interest.fd == requests_fd_) {
                pollfd asked{interest.fd, POLLIN, 0};
                if (::poll(&asked, 1, 0) > 0) return world_.clock.now();
            } else if (interest.writable) {
                return world_.clock.now();
            } else {
                ready = std::min(ready, world_.readable_at(interest.fd));
            }
        }
        return ready;
    }

    World& world_;
    Turns& turns_;
    int stop_fd_ = -1;
    int requests_fd_ = -1;
    std::uint64_t waits_ = 0;
};

}  // namespace pgc::sim
