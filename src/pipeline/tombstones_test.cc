#include "pipeline/tombstones.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

class TombstonesTest : public testing::Test {
protected:
    Record& add(Operation operation, std::string_view key) {
        return batch_.records.emplace_back(Record{.operation = operation,
                                                  .has_key = !key.empty(),
                                                  .change = change_++,
                                                  .key = key,
                                                  .value = "v",
                                                  .partition_by = "p",
                                                  .ordinal = 7});
    }

    RecordBatch batch_;
    std::uint32_t change_ = 0;
};

TEST_F(TombstonesTest, OneFollowsEachRemovalOfAKey) {
    add(Operation::insert, "1");
    add(Operation::remove, "1");
    add(Operation::remove, "2");
    add(Operation::update, "3");
    add_tombstones(batch_, 0);
    ASSERT_EQ(batch_.records.size(), 6U);
    const bool has_value[] = {true, true, false, true, false, true};
    for (std::size_t i = 0; i < batch_.records.size(); ++i) {
        EXPECT_EQ(batch_.records[i].has_value, has_value[i]) << i;
    }
    for (const std::size_t i : {2U, 4U}) {
        const Record& tombstone = batch_.records[i];
        EXPECT_EQ(tombstone.key, batch_.records[i - 1].key);
        EXPECT_EQ(tombstone.ordinal, 7U);
        EXPECT_EQ(tombstone.change, batch_.records[i - 1].change);
        EXPECT_EQ(tombstone.partition_by, "p") << "it goes where its row goes";
        EXPECT_TRUE(tombstone.value.empty());
    }
}

TEST_F(TombstonesTest, ARowWithoutAKeyHasNone) {
    add(Operation::remove, "");
    add_tombstones(batch_, 0);
    EXPECT_EQ(batch_.records.size(), 1U);
}

TEST_F(TombstonesTest, WhatCameBeforeIsLeftAlone) {
    add(Operation::remove, "1");
    add(Operation::remove, "2");
    add_tombstones(batch_, 1);
    ASSERT_EQ(batch_.records.size(), 3U);
    EXPECT_TRUE(batch_.records[1].has_value);
    EXPECT_FALSE(batch_.records[2].has_value);
}

TEST_F(TombstonesTest, ADeadLetterIsNoRemoval) {
    add(Operation::remove, "1").destination = Destination::dead_letters;
    add_tombstones(batch_, 0);
    EXPECT_EQ(batch_.records.size(), 1U);
}

}  // namespace
}  // namespace pgc
