// Waiting comes in from outside, like time: the engine says which descriptors and
// which moment concern it, and a Waiter sleeps. The simulated one moves its clock.
#pragma once

#include <vector>

#include "base/clock.h"

namespace pgc {

struct Interest {
    int fd = -1;
    bool readable = false;
    bool writable = false;
};

// What one participant of the loop waits for. Collected again each round.
struct Wants {
    std::vector<Interest> interests;
    Instant deadline = kNever;

    void clear() noexcept {
        interests.clear();
        deadline = kNever;
    }
    void until(Instant moment) noexcept {
        if (moment < deadline) deadline = moment;
    }
    void readable(int fd) { interests.push_back({fd, true, false}); }
    void writable(int fd) { interests.push_back({fd, false, true}); }
};

class Waiter {
public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual ~Waiter() = default;

    // Returns when a descriptor is ready, the deadline passed or a signal came;
    // which of them is not reported: everybody looks for himself.
    virtual void wait(const Wants& wants) = 0;
};

// poll(2).
class PollWaiter final : public Waiter {
public:
    explicit PollWaiter(const Clock& clock) noexcept : clock_(clock) {}
    void wait(const Wants& wants) override;

private:
    const Clock& clock_;
};

}  // namespace pgc
