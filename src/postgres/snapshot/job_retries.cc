#include "postgres/snapshot/job_retries.h"

#include <algorithm>

namespace pgc {
namespace {

constexpr Duration kPause_min = std::chrono::seconds{1};
constexpr Duration kPause_max = std::chrono::seconds{60};
constexpr Duration kLongPause_max = std::chrono::hours{1};

}  // namespace

bool JobRetries::put_off(const std::string& id, bool passes, Instant now) {
    PutOff& one = put_off_[id];
    if (now < one.until) return false;
    one.pause = std::clamp(one.pause * 2, passes ? kPause_min : kPause_max,
                           passes ? kPause_max : kLongPause_max);
    one.until = now + one.pause;
    return true;
}

Instant JobRetries::due(const std::string& id) const {
    const auto at = put_off_.find(id);
    return at == put_off_.end() ? Instant{} : at->second.until;
}

Instant JobRetries::due(const SnapshotJobs& jobs) const {
    Instant first = kNever;
    for (const SnapshotJob& job : jobs.all()) {
        if (!job.paused) first = std::min(first, due(job.request.id));
    }
    return first;
}

void JobRetries::forget_ended(const SnapshotJobs& jobs) {
    std::erase_if(put_off_, [&](const auto& one) { return jobs.find(one.first) == nullptr; });
}

}  // namespace pgc
