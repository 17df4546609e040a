#include "pipeline/checkpoint.h"

#include <algorithm>

namespace pgc {

Result<void> Checkpoint::begin(Place place, const StoredPosition& position, bool store_now) {
    store_ = &place.store;
    seals_ = place.seals;
    pace_ = seals_ != nullptr ? seals_->seal_pace() : SealPace{};
    position_ = position;
    saving_ = false;
    revision_ = records_ = memory_revision_ = 0;
    first_ = true;
    safe_ = store_now ? ResumePoint{} : position.point();
    confirmed_ = safe_.at;
    last_ = confirmed_at_ = clock_.now();
    if (!store_now) return {};
    auto begun = store();
    saving_ = begun.has_value();
    return begun;
}

Result<void> Checkpoint::store() {
    return seals_ != nullptr ? seals_->seal(position_) : store_->save(position_);
}

Result<bool> Checkpoint::advance(const Reached& reached, const Text& snapshot, Urgency urgency,
                                 const Text& memory) {
    if (!saving_) {
        if (clock_.now() < due(reached, urgency)) return false;
        const ResumePoint point = std::max(reached.point(), safe_);
        position_.resume_at = point.at;
        position_.within = point.within;
        if (reached.snapshot_revision != revision_) position_.snapshot = snapshot();
        revision_ = reached.snapshot_revision;
        if (reached.memory_revision != memory_revision_) position_.memory = memory();
        memory_revision_ = reached.memory_revision;
        if (reached.records > records_) first_ = false;
        records_ = reached.records;
        if (auto begun = store(); !begun) {
            return std::unexpected(std::move(begun.error()));
        }
        saving_ = true;
        last_ = clock_.now();
    }
    const auto saved = store_->saved();
    if (!saved) {
        saving_ = false;
        return std::unexpected(saved.error());
    }
    if (!*saved) return false;
    saving_ = false;
    safe_ = position_.point();
    if (seals_ != nullptr) seal_took_ = clock_.now() - last_;
    return true;
}

// The sink takes nothing while it seals.
Duration Checkpoint::pause_of_seals(const SealPace& pace, const Reached& reached) const noexcept {
    if (reached.all_given) return pace.soon;
    return std::clamp<Duration>(seal_took_ * pace.rest, pace.least, pace.most);
}

Instant Checkpoint::seal_due(const Reached& reached, Urgency urgency) const noexcept {
    if (seals_ == nullptr) return kNever;
    // At the end, what the sink would seal later is none of what was reached.
    Instant at = urgency == Urgency::forced ? kNever : seals_->seal_at();
    if (reached.unsealed) {
        at = std::min(at,
                      urgency == Urgency::forced ? last_ : last_ + pause_of_seals(pace_, reached));
    }
    return at;
}

Duration Checkpoint::pause_of_moves(const Reached& reached, Urgency urgency) const noexcept {
    if (urgency == Urgency::forced || !pace_.idle || reached.unsealed) return pause(urgency);
    return *pace_.idle;
}

Instant Checkpoint::due(const Reached& reached, Urgency urgency) const noexcept {
    if (seals_ != nullptr && !reached.confirmable) return kNever;
    Instant at = seal_due(reached, urgency);
    if (moved(reached)) {
        at = std::min(at, last_ + pause_of_moves(reached, urgency));
        if (seals_ == nullptr && reached.records > records_) {
            const bool now = first_ || too_many_might_come_again(reached);
            at = std::min(at, now ? last_ : last_ + store_every_);
        }
    }
    if (reached.snapshot_revision != revision_) {
        const bool now = urgency == Urgency::forced || (reached.snapshot_is_due && !seals_);
        const SealPace& pace = reached.snapshot_is_due ? SealPace{} : pace_;
        const Duration soon =
            seals_ ? std::max(kSnapshot, pause_of_seals(pace, reached)) : kSnapshot;
        at = std::min(at, now ? last_ : last_ + soon);
    }
    if (reached.memory_revision != memory_revision_) {
        at = std::min(at, urgency == Urgency::forced ? last_ : last_ + store_every_);
    }
    return at;
}

bool Checkpoint::too_many_might_come_again(const Reached& reached) const noexcept {
    return reached.records - records_ >= records_max_ / 2 &&
           std::max(reached.sent, reached.records) - records_ >= records_max_ - records_max_ / 5;
}

Instant Checkpoint::confirm_due(Urgency urgency) const noexcept {
    return safe() > confirmed_ ? confirmed_at_ + pause(urgency) : kNever;
}

Lsn Checkpoint::confirm(Urgency urgency) noexcept {
    const Instant now = clock_.now();
    if (now < confirm_due(urgency)) return {};
    confirmed_ = safe();
    confirmed_at_ = now;
    return safe();
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
    wants.until(confirm_due(urgency));
    if (saving_) {
        store_->wants(wants);
    } else {
        wants.until(due(reached, urgency));
    }
}

}  // namespace pgc
