#include "postgres/stream/feedback.h"

#include <algorithm>

namespace pgc {

namespace {

constexpr Duration kShortestInterval = std::chrono::milliseconds{100};

}  // namespace

void Feedback::server_patience(Duration limit) noexcept {
    if (limit > Duration{0}) {
        // A third: half is when it starts asking, and timers come late.
        interval_ = std::max(kShortestInterval, std::min(interval_, limit / 3));
    }
}

void Feedback::received(Lsn end) noexcept {
    write_ = std::max(write_, end);
}

void Feedback::confirm(Lsn lsn, bool now) noexcept {
    if (lsn > flush_) flush_ = lsn;
    hurry_ = hurry_ || now;
}

Instant Feedback::due_at() const noexcept {
    if (asked_ || probe_ || hurry_) return sent_;
    return sent_ + interval_;
}

pgoutput::StandbyStatus Feedback::take(Instant now, WallTime wall) noexcept {
    const pgoutput::StandbyStatus status{.write = std::max(write_, flush_),
                                         .flush = flush_,
                                         .apply = flush_,
                                         .sent_at = wall,
                                         .reply_requested = probe_};
    sent_ = now;
    asked_ = probe_ = hurry_ = false;
    return status;
}

Liveness::Verdict Liveness::silence(Instant now) noexcept {
    if (now < next()) return Verdict::fine;
    if (probing_) return Verdict::dead;
    probing_ = true;
    probed_ = now;
    return Verdict::probe;
}

}  // namespace pgc
