#include "postgres/stream/read_coalescer.h"

#include <algorithm>

namespace pgc {

void ReadCoalescer::drained(std::size_t bytes, Instant now, bool behind) noexcept {
    since_ = now;
    if (level_ > 0) disappointments_ = bytes < kNothing ? disappointments_ + 1 : 0;
    if (behind && disappointments_ < kPatience) {
        level_ = kLevels.size() - 1;
        return;
    }
    if (level_ > 0) {
        level_ = next_level(bytes);
        window_ = now;
        in_window_ = 0;
        return;
    }
    if (now - window_ > kWindow) {
        window_ = now;
        in_window_ = 0;
    }
    in_window_ += bytes;
    if (in_window_ < kBusyBytes) return;
    level_ = 1;
    disappointments_ = 0;
}

std::size_t ReadCoalescer::next_level(std::size_t bytes) const noexcept {
    const std::size_t mark = local_ ? kLocalBytes : kLevels[level_].bytes;
    if (bytes >= mark) return std::min(level_ + 1, kLevels.size() - 1);
    if (bytes >= mark / 2) return level_;
    if (bytes >= mark / 8) return level_ - 1;
    return 0;
}

}  // namespace pgc
