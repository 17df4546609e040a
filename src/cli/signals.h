// SIGTERM, SIGINT and SIGHUP as requests to a pipeline: the first drains, the second ends
// at once. SIGPIPE is ignored, as sinks and logs require.
//
// One at a time in a process; what is in place before is put back by the destructor.
#pragma once

#include <csignal>

#include "pipeline/stop_request.h"

namespace pgc {

class Signals {
public:
    explicit Signals(StopRequest& stop);
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

private:
    struct sigaction before_[4]{};
};

}  // namespace pgc
