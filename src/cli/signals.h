// SIGTERM, SIGINT and SIGHUP as requests to the pipelines of the process: the first drains, the
// second ends at once. SIGPIPE and SIGXFSZ are ignored: whoever writes gets the error.
//
// One at a time in a process; what is in place before is put back by the destructor.
#pragma once

#include <csignal>
#include <vector>

#include "pipeline/stop_request.h"

namespace pgc {

class Signals {
public:
    explicit Signals(StopRequest& stop) : Signals(std::vector{&stop}) {}
    // They outlive it.
    explicit Signals(std::vector<StopRequest*> stops);
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

private:
    const std::vector<StopRequest*> stops_;
    struct sigaction before_[5]{};
};

}  // namespace pgc
