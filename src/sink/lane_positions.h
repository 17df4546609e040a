// How far each lane got. Few lanes are alive at a time: a list is searched.
#pragma once

#include <vector>

#include "core/position.h"

namespace pgc {

class LanePositions {
public:
    // Position{} for a lane that has none yet.
    Position of(Lane lane) const noexcept {
        for (const Entry& entry : entries_) {
            if (entry.lane == lane) {
                return entry.position;
            }
        }
        return {};
    }

    // Never moves back.
    void raise(Lane lane, Position position) {
        for (Entry& entry : entries_) {
            if (entry.lane == lane) {
                entry.position = position > entry.position ? position : entry.position;
                return;
            }
        }
        entries_.push_back({lane, position});
    }

private:
    struct Entry {
        Lane lane;
        Position position;
    };
    std::vector<Entry> entries_;
};

}  // namespace pgc
