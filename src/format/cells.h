// What every format asks of a row's cells and of a column's kind.
#pragma once

#include <cstddef>

#include "core/change.h"
#include "core/value.h"

namespace pgc {

// The cell, or the older row's where only that one is known.
inline const Cell& best_known(const Cell* cells, const Cell* older, std::size_t column) noexcept {
    const Cell& cell = cells[column];
    if (cell.state != Cell::State::unchanged || older == nullptr) [[likely]] {
        return cell;
    }
    const Cell& old = older[column];
    return old.state == Cell::State::absent ? cell : old;
}

// Its readers fill more of a Value than the scalar members: it is reset before each.
inline bool is_compound(Kind kind) noexcept {
    switch (kind) {
        case Kind::array:
        case Kind::composite:
        case Kind::range:
        case Kind::multirange:
        case Kind::map: return true;
        default: return false;
    }
}

}  // namespace pgc
