// When a snapshot may be tried again of which a table could not be read: soon, if the reason may
// pass by itself, later, if somebody has to fix it. Each time twice as long.
//
// Pure. Threads: one, the owner's.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "postgres/snapshot/jobs.h"

namespace pgc {

class JobRetries {
public:
    // `passes`: the reason may pass by itself. False if the job is put off already.
    bool put_off(const std::string& id, bool passes, Instant now);
    // From when on the job may be read; the epoch unless it was put off.
    Instant due(const std::string& id) const;
    // When the first of the jobs may be read that are not paused; never, if none is left.
    Instant due(const SnapshotJobs& jobs) const;
    void forget_ended(const SnapshotJobs& jobs);

private:
    struct PutOff {
        Instant until{};
        Duration pause{};
    };
    std::map<std::string, PutOff> put_off_;
};

}  // namespace pgc
