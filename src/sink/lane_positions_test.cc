#include "sink/lane_positions.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(LanePositionsTest, ALaneBeginsNowhere) {
    EXPECT_EQ(LanePositions{}.of(kStreamLane), Position{});
}

TEST(LanePositionsTest, LanesKnowNothingOfEachOther) {
    LanePositions positions;
    positions.raise(Lane{3}, {Lsn{9}, 1});
    positions.raise(kStreamLane, {Lsn{2}, 5});
    EXPECT_EQ(positions.of(Lane{3}), (Position{Lsn{9}, 1}));
    EXPECT_EQ(positions.of(kStreamLane), (Position{Lsn{2}, 5}));
}

TEST(LanePositionsTest, ALaneNeverMovesBack) {
    LanePositions positions;
    positions.raise(kStreamLane, {Lsn{2}, 5});
    positions.raise(kStreamLane, {Lsn{2}, 4});
    EXPECT_EQ(positions.of(kStreamLane), (Position{Lsn{2}, 5}));
}

}  // namespace
}  // namespace pgc
