#include "core/relation.h"

#include <algorithm>
#include <mutex>
#include <string_view>
#include <utility>

namespace pgc {

class RelationSlots::FreeSlots {
public:
    std::uint32_t take() {
        const std::scoped_lock lock{mutex_};
        if (!free_.empty()) {
            const std::uint32_t slot = free_.back();
            free_.pop_back();
            return slot;
        }
        if (free_.capacity() <= slots_) free_.reserve(std::size_t{slots_} * 2 + 16);
        return slots_++;
    }
    void give_back(std::uint32_t slot) noexcept {
        const std::scoped_lock lock{mutex_};
        free_.push_back(slot);  // there is room
    }

private:
    std::mutex mutex_;
    std::vector<std::uint32_t> free_;
    std::uint32_t slots_ = 0;  // so many there are
};

struct RelationSlots::Made {
    Made(Relation given, std::shared_ptr<FreeSlots> slots)
        : relation(std::move(given)), from(std::move(slots)) {}
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
    ~Made() { from->give_back(relation.slot); }

    const Relation relation;
    const std::shared_ptr<FreeSlots> from;
};

RelationSlots::RelationSlots() : free_(std::make_shared<FreeSlots>()) {}

RelationPtr RelationSlots::make(Relation relation) {
    relation.slot = free_->take();
    relation.serial = ++made_;
    auto made = std::make_shared<const Made>(std::move(relation), free_);
    return {made, &made->relation};
}

std::vector<std::uint32_t> record_key(const Relation& relation) {
    std::vector<std::uint32_t> key;
    for_each_key_column(relation, [&](std::uint32_t place) { key.push_back(place); });
    return key;
}

std::string sql_name(const Relation& relation) {
    std::string text;
    for (const std::string_view part :
         {std::string_view{relation.schema}, std::string_view{relation.name}}) {
        text += text.empty() ? "\"" : ".\"";
        for (const char c : part) text.append(c == '"' ? 2 : 1, c);
        text += '"';
    }
    return text;
}

}  // namespace pgc
