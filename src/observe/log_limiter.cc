#include "observe/log_limiter.h"

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

constexpr Duration kWindow = std::chrono::seconds{1};

}  // namespace

bool LogLimiter::admit(LogLevel level, std::string_view module, std::string_view message,
                       Instant now) {
    message = message.substr(0, kMessageBytes_max);
    key_.assign(module);
    key_ += '\0';
    key_ += message;
    auto found = entries_.find(key_);
    if (found == entries_.end()) {
        if (entries_.size() >= kRemembered) {
            return true;
        }
        LeftOut left_out{std::string{module}, std::string{message}, level, 0};
        found = entries_.emplace(key_, Entry{now, 0, std::move(left_out)}).first;
    }
    Entry& entry = found->second;
    if (now - entry.began >= kWindow && entry.left_out.count == 0) {
        entry.began = now;
        entry.passed = 0;
    }
    if (entry.passed < lines_per_second_max_) {
        ++entry.passed;
        return true;
    }
    ++entry.left_out.count;
    return false;
}

std::vector<LogLimiter::LeftOut> LogLimiter::collect(Instant now) {
    std::vector<LeftOut> reported;
    if (now < next_collection_) {
        return reported;
    }
    next_collection_ = now + kWindow;
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = at->second;
        if (now - entry.began < kWindow) {
            next_collection_ = std::min(next_collection_, entry.began + kWindow);
            ++at;
            continue;
        }
        if (entry.left_out.count > 0) {
            reported.push_back(std::move(entry.left_out));
        }
        at = entries_.erase(at);
    }
    return reported;
}

}  // namespace pgc
