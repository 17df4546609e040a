#include "pipeline/checkpoint.h"

#include <algorithm>

namespace pgc {

Result<void> Checkpoint::begin(const StoredPosition& position, bool store_now) {
    position_ = position;
    saving_ = store_now;
    safe_ = store_now ? Lsn{} : position.resume_at;
    last_ = clock_.now();
    return store_now ? store_.save(position_) : Result<void>{};
}

Result<bool> Checkpoint::advance(Lsn confirmable, Urgency urgency) {
    if (!saving_) {
        if (confirmable <= safe_ || clock_.now() - last_ < pause(urgency)) return false;
        position_.resume_at = confirmable;
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

Duration Checkpoint::pause(Urgency urgency) const noexcept {
    switch (urgency) {
        case Urgency::normal: return interval_;
        case Urgency::quiet: return std::min(kQuiet, interval_);
        case Urgency::forced: return Duration{0};
    }
    return interval_;
}

void Checkpoint::wants(Wants& wants, Lsn confirmable, Urgency urgency) const {
    if (saving_) {
        store_.wants(wants);
    } else if (confirmable > safe_) {
        wants.until(last_ + pause(urgency));
    }
}

}  // namespace pgc
