#include "pipeline/snapshot_choice.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using Because = StartPlan::Because;
using enum SnapshotMode;

std::string reads(SnapshotMode mode, const SnapshotOccasion& occasion) {
    return snapshot_to_read(mode, occasion);
}

TEST(SnapshotChoiceTest, ANewSlotBringsEverythingButForThoseWhoNeverWantIt) {
    for (const SnapshotMode mode : {initial, when_needed, always, only}) {
        EXPECT_EQ(reads(mode, {.because = Because::new_slot}), kWholeSnapshot);
    }
    EXPECT_EQ(reads(never, {.because = Because::new_slot}), "");
}

TEST(SnapshotChoiceTest, ASlotThatWasThereWithoutAPositionTellsNothingOfTheRows) {
    for (const SnapshotMode mode : {initial, when_needed, always, only}) {
        EXPECT_EQ(reads(mode, {.because = Because::foreign_slot}), kWholeSnapshot);
    }
    EXPECT_EQ(reads(never, {.because = Because::foreign_slot}), "");
}

TEST(SnapshotChoiceTest, TheRestIsReadAndNotMore) {
    for (const SnapshotMode mode : {initial, when_needed, always, only, never}) {
        EXPECT_EQ(reads(mode, {.left = "the rest", .first_start = true}), "the rest");
    }
    EXPECT_EQ(reads(initial, {.first_start = true}), "");
    EXPECT_EQ(reads(when_needed, {.first_start = true}), "");
}

TEST(SnapshotChoiceTest, AlwaysIsOnceAProcess) {
    EXPECT_EQ(reads(always, {.first_start = true}), kWholeSnapshot);
    EXPECT_EQ(reads(always, {.first_start = false}), "");
    EXPECT_EQ(reads(only, {.first_start = true}), kWholeSnapshot);
}

TEST(SnapshotChoiceTest, AfterALossEverythingIsReadAgain) {
    for (const Because because : {Because::new_slot, Because::foreign_slot}) {
        EXPECT_EQ(reads(when_needed, {.because = because, .left = "the rest"}), kWholeSnapshot);
    }
}

}  // namespace
}  // namespace pgc
