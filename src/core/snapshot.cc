#include "core/snapshot.h"

#include <algorithm>

#include "base/ascii.h"

namespace pgc {

bool is_snapshot_id(std::string_view text) noexcept {
    const auto lawful = [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
    };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, lawful);
}

std::string_view name(SnapshotReport::State state) noexcept {
    using enum SnapshotReport::State;
    switch (state) {
        case waiting: return "waiting";
        case reading: return "reading";
        case paused: return "paused";
        case done: return "done";
        case cancelled: return "cancelled";
        case failed: return "failed";
    }
    return "failed";
}

bool is_over(SnapshotReport::State state) noexcept {
    using enum SnapshotReport::State;
    return state == done || state == cancelled || state == failed;
}

}  // namespace pgc
