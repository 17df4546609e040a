// How many changes the next batch may have: behind, batches grow until their records come
// to about a MiB; caught up, they start small again, for latency. A size that the user
// set stays.
#pragma once

#include <algorithm>
#include <cstddef>

namespace pgc {

class BatchSize {
public:
    static constexpr std::size_t kAim_bytes = std::size_t{1} << 20;      // of records
    static constexpr std::size_t kRaw_bytes_max = std::size_t{1} << 20;  // of messages
    static constexpr std::size_t kGrowth_max = 32;

    BatchSize(std::size_t changes, bool fixed) noexcept
        : first_(changes), most_(fixed ? changes : changes * kGrowth_max), now_(changes) {}

    std::size_t changes() const noexcept { return now_; }

    // The batch was full and more is at hand.
    void behind(std::size_t record_bytes) noexcept {
        if (record_bytes > kAim_bytes) {
            now_ = std::max(first_, now_ / 2);
        } else if (record_bytes < kAim_bytes / 2) {
            now_ = std::min(most_, now_ * 2);
        }
    }
    void caught_up() noexcept { now_ = first_; }

private:
    std::size_t first_;
    std::size_t most_;
    std::size_t now_;
};

}  // namespace pgc
