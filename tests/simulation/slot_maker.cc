#include "simulation/slot_maker.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace pgc::sim {

using namespace std::chrono_literals;

std::shared_ptr<SlotMaker::Slot> SlotMaker::begin(std::string name, bool temporary, bool exports,
                                                  bool two_phase) {
    const bool taken = std::ranges::any_of(slots_, [&](const auto& other) {
        return other->name == name && (other->temporary || other->state == State::making);
    });
    if (taken || (!temporary && server_.slot().exists)) return nullptr;
    auto slot = std::make_shared<Slot>(Slot{.name = std::move(name),
                                            .temporary = temporary,
                                            .exports = exports,
                                            .two_phase = two_phase,
                                            .due = world_.clock.now(),
                                            .at = {},
                                            .cuts = server_.cuts(),
                                            .starts = server_.starts()});
    const Instant quiet = ordinary_ ? slot->due : server_.hanging_until();
    if (quiet > slot->due) {
        slot->due = quiet;
        ++late_waits_;
        world_.note("a slot waits for a commit that hangs");
    }
    slots_.push_back(slot);
    if (slot->due == world_.clock.now()) {
        finish(slot);
    } else {
        world_.after(slot->due - world_.clock.now(), [this, slot] { finish(slot); });
    }
    return slot;
}

void SlotMaker::finish(const std::shared_ptr<Slot>& slot) {
    const bool lost = !server_.up() || slot->starts != server_.starts();
    // Who left before hears of it at once, or when it is too late.
    const bool dropped = slot->left && (slot->temporary || world_.random.chance(50));
    if (lost || dropped || (!slot->temporary && server_.slot().exists)) {
        slot->state = State::failed;
        forget(slot.get());
        return;
    }
    if (slot->temporary) {
        slot->at = server_.next_consistent_point();
    } else {
        server_.create_slot(slot->two_phase);
        slot->at = server_.slot().confirmed;
    }
    slot->state = State::made;
    // Decoding up to there may lag behind: the stream may have passed it by then.
    const bool lags = slot->temporary && world_.random.chance(10);
    slot->reported_at = world_.clock.now() + world_.between(0us, lags ? 500ms : 2ms);
    world_.after(slot->reported_at - world_.clock.now(), [] {});
    if (slot->exports) {
        slot->snapshot = fmt::format("0000000A-{:08X}-1", ++snapshots_);
        slot->tables = ordinary_ ? server_.visible() : std::make_shared<Tables>(server_.tables());
        world_.note("snapshot ", slot->snapshot, " is exact at ", to_string(slot->at));
    } else {
        forget(slot.get());
    }
}

void SlotMaker::forget(const Slot* slot) {
    std::erase_if(slots_, [&](const auto& one) { return one.get() == slot; });
}

bool SlotMaker::drop(std::string_view name) {
    return std::erase_if(slots_, [&](const auto& slot) {
               return slot->temporary && slot->name == name && slot->state == State::made;
           }) > 0;
}

void SlotMaker::leave(const std::shared_ptr<Slot>& slot) {
    slot->left = true;
    end_snapshot(*slot);
    if (slot->state == State::making) return;  // heard when it is made
    world_.after(world_.between(0ms, 20ms), [this, slot] { forget(slot.get()); });
}

bool SlotMaker::alive(const Slot& slot) const noexcept {
    return !slot.left && server_.up() && !server_.shutting_down() && slot.cuts == server_.cuts();
}

std::shared_ptr<const Tables> SlotMaker::snapshot(std::string_view name) const {
    const auto at = std::ranges::find_if(slots_, [&](const auto& slot) {
        return !slot->over && slot->tables != nullptr && slot->snapshot == name && alive(*slot);
    });
    return at == slots_.end() ? nullptr : (*at)->tables;
}

void SlotMaker::lose_snapshot() {
    for (const auto& slot : slots_) {
        if (slot->tables == nullptr || slot->over) continue;
        world_.note("snapshot ", slot->snapshot, " is lost");
        ++lost_;
        end_snapshot(*slot);
    }
}

}  // namespace pgc::sim
