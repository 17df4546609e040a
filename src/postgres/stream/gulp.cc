#include "postgres/stream/gulp.h"

#include <algorithm>

namespace pgc {

void Gulp::drained(std::size_t bytes, Instant now) noexcept {
    since_ = now;
    if (level_ > 0) {
        level_ = satisfied(bytes) ? std::min(level_ + 1, kLevels.size() - 1) : 0;
        window_ = now;
        in_window_ = 0;
        return;
    }
    if (now - window_ > kWindow) {
        window_ = now;
        in_window_ = 0;
    }
    in_window_ += bytes;
    if (in_window_ >= kBusyBytes) level_ = 1;
}

}  // namespace pgc
