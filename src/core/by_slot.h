// What is decided once for a version of a table, found by an index instead of a search.
//
// Slots are given out again (RelationSlots), and nobody says so: each entry remembers the serial of
// the relation it was decided for, and is not there for another one. What was decided for a version
// that is gone lives on until its slot has another, so there is no more of it than there were
// relations at a time, however many there ever were.
//
// Pointers are good until the next keep().
//
// Threads: one at a time, the owner's; relations may be destroyed on others meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/relation.h"

namespace pgc {

// So many plans of messages are kept; beyond, all are dropped and made again as they are needed.
inline constexpr std::size_t kPlans_max = 4096;

template <typename Value, std::size_t kKept_max = std::numeric_limits<std::size_t>::max()>
class BySlot {
public:
    // Null: not decided, or dropped since.
    Value* find(const Relation& relation) noexcept {
        if (relation.slot >= entries_.size()) return nullptr;
        Entry& entry = entries_[relation.slot];
        return entry.serial == relation.serial ? &entry.value : nullptr;
    }

    Value* keep(const Relation& relation, Value value) {
        if (kept_ == kKept_max) clear();
        if (relation.slot >= entries_.size()) entries_.resize(std::size_t{relation.slot} + 1);
        Entry& entry = entries_[relation.slot];
        if (entry.serial == kNone) ++kept_;
        entry.value = std::move(value);
        entry.serial = relation.serial;
        return &entry.value;
    }

    void clear() noexcept {
        entries_.clear();
        kept_ = 0;
    }

private:
    static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

    struct Entry {
        std::uint64_t serial = kNone;  // Relation::serial
        Value value{};
    };
    std::vector<Entry> entries_;
    std::size_t kept_ = 0;
};

}  // namespace pgc
