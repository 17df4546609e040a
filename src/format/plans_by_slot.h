// What was decided once for each version of a table, by Relation::slot and nothing else: relations
// derived from one table are not in each other's way.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pgc {

template <typename Plan>
class PlansBySlot {
public:
    // Null: not decided, or dropped since.
    Plan* find(std::size_t slot) const noexcept {
        return slot < plans_.size() ? plans_[slot].get() : nullptr;
    }

    Plan* keep(std::size_t slot, Plan plan) {
        if (kept_ == kKept_max) {
            plans_.clear();
            kept_ = 0;
        }
        if (slot >= plans_.size()) plans_.resize(slot + 1);
        plans_[slot] = std::make_unique<Plan>(std::move(plan));
        ++kept_;
        return plans_[slot].get();
    }

private:
    // Beyond, all are dropped and made again as they are needed.
    static constexpr std::size_t kKept_max = 4096;

    std::vector<std::unique_ptr<Plan>> plans_;
    std::size_t kept_ = 0;
};

}  // namespace pgc
