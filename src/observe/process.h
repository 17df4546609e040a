// What the operating system says about this process (/proc/self).
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace pgc {

// What can't be read is 0.
struct ProcessUse {
    std::uint64_t resident_bytes = 0;
    Duration cpu_time{0};
    double start_time_unix_s = 0;
    std::uint64_t open_fds = 0;
};

ProcessUse read_process_use();

// Only the memory: cheap, for the status line.
std::uint64_t read_resident_bytes();

}  // namespace pgc
