// Keeps a message that repeats by the thousand from filling a disk.
//
// Lines are the same when module and message text are; so the text must be constant and
// what varies belongs into fields. In each window of one second, counted from the first
// such line, the first `lines_per_second_max` pass. The rest is counted, and reported once,
// as soon as the window is over and any line at all is written (the status line makes
// sure that there is one every ten seconds).
//
// Remembers at most kRemembered different lines; when more than that come within one
// second, the newcomers all pass. Not thread-safe: Log holds its lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "observe/log_options.h"

namespace pgc {

class LogLimiter {
public:
    static constexpr std::size_t kRemembered = 256;
    static constexpr std::size_t kMessageBytes_max = 256;  // what is compared and reported

    // Lines that were counted instead of written.
    struct LeftOut {
        std::string module;
        std::string message;
        LogLevel level{};
        std::uint64_t count = 0;
    };

    explicit LogLimiter(std::uint32_t lines_per_second_max) noexcept
        : lines_per_second_max_(lines_per_second_max) {}

    // Whether this line is to be written now.
    bool admit(LogLevel level, std::string_view module, std::string_view message, Instant now);

    // What was left out in windows that are over; reported once, so the caller must write it.
    std::vector<LeftOut> collect(Instant now);

private:
    struct Entry {
        Instant began;
        std::uint32_t passed = 0;
        LeftOut left_out;
    };

    const std::uint32_t lines_per_second_max_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::string key_;  // scratch
    Instant next_collection_{};
};

}  // namespace pgc
