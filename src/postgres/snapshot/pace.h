// When a group of a snapshot may begin, how long it may hold the stream, and how fast rows may
// be read. Pure; one thread.
//
// A snapshot of everything ("whole") may hold the stream until the database has held one
// snapshot for hold_max. Any other reads for kSlice at a time, and then the stream has its
// share of the time before the next one.
//
// While the server makes a snapshot, the stream should not pass the place at which it will be
// exact, so it waits a moment. Where transactions run for long, that is not long enough, and the
// wait grows with each vain attempt.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace pgc {

class SnapshotPace {
public:
    static constexpr Duration kSlice = std::chrono::milliseconds{200};
    static constexpr Duration kPatience_min = std::chrono::seconds{1};
    static constexpr Duration kPatience_max = std::chrono::seconds{60};
    static constexpr Duration kAfterFailure = std::chrono::seconds{1};

    // `share`: how much of the time, in percent, groups may take: 1 to 100.
    SnapshotPace(std::uint64_t share, Duration hold_max) noexcept
        : share_(static_cast<std::int64_t>(share)), hold_max_(hold_max) {}

    bool may_begin(Instant now) const noexcept { return now >= next_; }
    Instant next() const noexcept { return next_; }

    // The stream waits from now on.
    void begun(Instant now, bool whole) noexcept {
        began_ = now;
        whole_ = whole;
        give_way_at_ = now + patience_;
    }
    // Until when it waits for the server to make the snapshot.
    Instant give_way_at() const noexcept { return give_way_at_; }
    // The stream had gone on too far.
    void in_vain() noexcept { patience_ = std::min(patience_ * 2, kPatience_max); }
    // Reading begins.
    void reading(Instant now) noexcept {
        patience_ = kPatience_min;
        until_ = now + (whole_ ? hold_max_ : std::min(kSlice, hold_max_));
    }
    // No new chunk is begun from here on.
    Instant until() const noexcept { return until_; }
    bool whole() const noexcept { return whole_; }
    void ended(Instant now) noexcept {
        const Duration took = now - began_;
        next_ = whole_ ? now : now + took * (100 - share_) / share_;
    }
    void failed(Instant now) noexcept { next_ = now + kAfterFailure; }

private:
    const std::int64_t share_;
    const Duration hold_max_;
    Duration patience_ = kPatience_min;
    Instant began_{};
    Instant give_way_at_ = kNever;
    Instant until_ = kNever;
    Instant next_{};
    bool whole_ = false;
};

// Lets so many rows a second through, in portions of a tenth of that.
class RowRate {
public:
    // 0: any number.
    explicit RowRate(std::uint64_t per_second) noexcept : per_second_(per_second) {}

    // How many rows may be read now.
    std::uint64_t allowed(Instant now, std::uint64_t wanted) noexcept {
        if (per_second_ == 0) return wanted;
        const std::uint64_t portion = std::max<std::uint64_t>(per_second_ / 10, 1);
        if (now >= refill_at_) {
            left_ = portion;
            refill_at_ = now + std::chrono::milliseconds{100};
            if (per_second_ < 10) {
                refill_at_ =
                    now + Duration{std::chrono::seconds{1}} / static_cast<int>(per_second_);
            }
        }
        return std::min(left_, wanted);
    }
    void took(std::uint64_t rows) noexcept { left_ -= std::min(left_, rows); }
    bool exhausted() const noexcept { return per_second_ != 0 && left_ == 0; }
    Instant refill_at() const noexcept { return refill_at_; }

private:
    const std::uint64_t per_second_;
    std::uint64_t left_ = 0;
    Instant refill_at_{};
};

}  // namespace pgc
