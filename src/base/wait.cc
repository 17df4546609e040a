#include "base/wait.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

namespace pgc {

void PollWaiter::wait(const Wants& wants) {
    std::vector<pollfd> fds;
    fds.reserve(wants.interests.size());
    for (const Interest& interest : wants.interests) {
        const int events = (interest.readable ? POLLIN : 0) | (interest.writable ? POLLOUT : 0);
        fds.push_back({interest.fd, static_cast<short>(events), 0});
    }
    timespec limit{};
    const bool forever = wants.deadline == kNever;
    if (!forever) {
        const Duration left = std::max(wants.deadline - clock_.now(), Duration{0});
        limit.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
        limit.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
    }
    // The result is of no interest: an error other than EINTR shows itself to the
    // owner of the descriptor, who looks next.
    (void)::ppoll(fds.data(), fds.size(), forever ? nullptr : &limit, nullptr);
}

}  // namespace pgc
