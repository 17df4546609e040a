// How far something got: (commit LSN, ordinal in the transaction).
//
// LSNs of rows are not unique and don't rise in commit order, so nothing else can say
// "up to here". A commit's LSN is where its record starts; a row of a snapshot has an LSN at which
// none does. Ordinals count the row messages the server sent in a transaction, from 1, before our
// filters; a TRUNCATE counts once for each table it names.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include "base/lsn.h"

namespace pgc {

struct Position {
    Lsn commit;
    std::uint64_t ordinal = 0;

    static constexpr std::uint64_t kWhole = std::numeric_limits<std::uint64_t>::max();
    // All of the transaction that commits at `commit`.
    static constexpr Position whole(Lsn commit) noexcept { return {commit, kWhole}; }

    constexpr auto operator<=>(const Position&) const = default;
};

// Where a stream goes on: with every transaction that commits at or after `at`, and of the first of
// them with what comes after `within`; none: with all of it.
struct ResumePoint {
    Lsn at;
    Position within{};
    // The last commit of which anything is before it is not later.
    constexpr Lsn reach() const noexcept { return std::max(at, within.commit); }
    constexpr auto operator<=>(const ResumePoint&) const = default;
};

inline std::string to_string(const Position& position) {
    return to_string(position.commit) + (position.ordinal == Position::kWhole
                                             ? std::string{}
                                             : "#" + std::to_string(position.ordinal));
}

// Progress runs in lanes that know nothing of each other: the stream is one, the rows of
// snapshots another (kSnapshotLane), heartbeats, which are about no change, the third: those are
// numbered. A batch belongs to exactly one.
struct Lane {
    std::uint32_t value = 0;
    constexpr auto operator<=>(const Lane&) const = default;
};
inline constexpr Lane kStreamLane{0};
inline constexpr Lane kHeartbeatLane{2};

}  // namespace pgc
