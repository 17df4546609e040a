// A clock that stands still until it is moved.
#pragma once

#include "base/clock.h"

namespace pgc {

class ManualClock final : public Clock {
public:
    // 2026-11-21 02:57:05.123 UTC, one hour after the origin.
    Instant now() const noexcept override { return now_; }
    WallTime wall() const noexcept override { return wall_; }

    void advance(Duration by) noexcept {
        now_ = now_ + by;
        wall_.unix_us += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
    }
    void set_wall(WallTime wall) noexcept { wall_ = wall; }

private:
    Instant now_{std::chrono::hours{1}};
    WallTime wall_{1'795'229'825'123'456};
};

}  // namespace pgc
