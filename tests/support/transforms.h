// Transforms that stand for those to come.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/by_slot.h"
#include "core/transform.h"

namespace pgc::test {

// Leaves out what `keeps` does not want.
class DroppingTransform final : public Transform {
public:
    using Keeps = std::function<bool(const Transaction&, const Change&)>;
    explicit DroppingTransform(Keeps keeps) : keeps_(std::move(keeps)) {}

    Result<void> apply(Batch& batch) override {
        std::size_t part = 0;
        std::size_t at = 0;
        keep_changes(batch, [&, ends = ends_of(batch)](const Change& change) {
            while (at >= ends[part]) ++part;
            ++at;
            return keeps_(batch.transactions[part], change);
        });
        return {};
    }

private:
    static std::vector<std::size_t> ends_of(const Batch& batch) {
        std::vector<std::size_t> ends;
        for (const Transaction& part : batch.transactions) {
            ends.push_back(std::size_t{part.first} + part.count);
        }
        return ends;
    }

    const Keeps keeps_;
};

// Shows each table under another name: a relation derived once from each version.
class RenamingTransform final : public Transform {
public:
    RenamingTransform(std::string suffix, std::shared_ptr<RelationSlots> slots)
        : suffix_(std::move(suffix)), slots_(std::move(slots)) {}

    Result<void> apply(Batch& batch) override {
        for (Change& change : batch.changes) {
            if (change.relation == nullptr) continue;
            change.relation = derived(*change.relation, batch).get();
        }
        return {};
    }

private:
    const RelationPtr& derived(const Relation& from, Batch& batch) {
        RelationPtr* made = made_.find(from);
        if (made == nullptr) {
            Relation renamed = from;
            renamed.name += suffix_;
            made = made_.keep(from, slots_->make(std::move(renamed)));
        }
        batch.hold(*made);
        return *made;
    }

    const std::string suffix_;
    const std::shared_ptr<RelationSlots> slots_;
    BySlot<RelationPtr> made_;
};

// Shows each change twice.
class DoublingTransform final : public Transform {
public:
    Result<void> apply(Batch& batch) override {
        std::vector<Change> all;
        for (Transaction& part : batch.transactions) {
            const std::size_t first = all.size();
            for (std::size_t i = part.first; i < std::size_t{part.first} + part.count; ++i) {
                all.push_back(batch.changes[i]);
                all.push_back(batch.changes[i]);
            }
            part.first = static_cast<std::uint32_t>(first);
            part.count = static_cast<std::uint32_t>(all.size() - first);
        }
        batch.changes = std::move(all);
        return {};
    }
};

}  // namespace pgc::test
