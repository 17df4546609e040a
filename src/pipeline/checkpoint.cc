#include "pipeline/checkpoint.h"

#include <algorithm>

namespace pgc {

Result<void> Checkpoint::begin(const StoredPosition& position, bool store_now) {
    position_ = position;
    saving_ = store_now;
    revision_ = 0;
    safe_ = store_now ? Lsn{} : position.resume_at;
    last_ = clock_.now();
    return store_now ? store_.save(position_) : Result<void>{};
}

Result<bool> Checkpoint::advance(const Reached& reached,
                                 const std::function<std::string()>& snapshot, Urgency urgency) {
    if (!saving_) {
        if (clock_.now() < due(reached, urgency)) return false;
        position_.resume_at = std::max(reached.confirmable, safe_);
        if (reached.snapshot_revision != revision_) position_.snapshot = snapshot();
        revision_ = reached.snapshot_revision;
        if (auto begun = store_.save(position_); !begun) {
            return std::unexpected(std::move(begun.error()));
        }
        saving_ = true;
    }
    const auto saved = store_.saved();
    if (!saved) {
        saving_ = false;
        return std::unexpected(saved.error());
    }
    if (!*saved) return false;
    saving_ = false;
    safe_ = position_.resume_at;
    last_ = clock_.now();
    return true;
}

Instant Checkpoint::due(const Reached& reached, Urgency urgency) const noexcept {
    Instant at = kNever;
    if (reached.confirmable > safe_) at = last_ + pause(urgency);
    if (reached.snapshot_revision != revision_) {
        const bool now = urgency == Urgency::forced || reached.snapshot_is_due;
        at = std::min(at, now ? last_ : last_ + kSnapshot);
    }
    return at;
}

Duration Checkpoint::pause(Urgency urgency) const noexcept {
    switch (urgency) {
        case Urgency::normal: return interval_;
        case Urgency::quiet: return std::min(kQuiet, interval_);
        case Urgency::forced: return Duration{0};
    }
    return interval_;
}

void Checkpoint::wants(Wants& wants, const Reached& reached, Urgency urgency) const {
    if (saving_) {
        store_.wants(wants);
    } else {
        wants.until(due(reached, urgency));
    }
}

}  // namespace pgc
