// How others ask a pipeline to end: once to drain, twice to end at once.
//
// Threads: request() from any, also from a signal handler; the rest is the pipeline's.
#pragma once

#include <atomic>

#include "base/wake.h"

namespace pgc {

class StopRequest {
public:
    void request() noexcept {
        times_.fetch_add(1, std::memory_order_relaxed);
        wake_.notify();
    }
    bool drain() const noexcept { return times_.load(std::memory_order_relaxed) >= 1; }
    bool at_once() const noexcept { return times_.load(std::memory_order_relaxed) >= 2; }

    // Readable from a request on, until it was noticed.
    int wake_fd() const noexcept { return wake_.fd(); }
    // To be followed by a look at the two above.
    void noticed() noexcept { wake_.clear(); }

private:
    static_assert(std::atomic<int>::is_always_lock_free, "a handler may not wait for a lock");
    std::atomic<int> times_{0};
    Wake wake_;
};

}  // namespace pgc
