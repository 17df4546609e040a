#include "sink/kafka/carry_over.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

Record record(std::uint64_t commit, std::uint64_t ordinal, std::string_view value = "v") {
    return {.value = value, .commit_lsn = Lsn{commit}, .ordinal = ordinal};
}

TEST(KafkaCarryOverTest, TheSmallestBatchSizeIsKept) {
    KafkaCarryOver carry_over;
    carry_over.batch_bytes_at_most(5000);
    carry_over.batch_bytes_at_most(9000);
    EXPECT_EQ(carry_over.batch_bytes_max(), 5000U);
}

TEST(KafkaCarryOverTest, ARefusedRecordIsKnownAgain) {
    KafkaCarryOver carry_over;
    EXPECT_FALSE(carry_over.refused_any());
    carry_over.refused(record(7, 2));
    EXPECT_TRUE(carry_over.was_refused(record(7, 2)));
    EXPECT_FALSE(carry_over.was_refused(record(7, 3)));
    EXPECT_FALSE(carry_over.was_refused(record(8, 2)));
}

TEST(KafkaCarryOverTest, TheTwoRecordsOfAKeyChangeAreToldApart) {
    KafkaCarryOver carry_over;
    carry_over.refused(record(7, 2, "a large row"));
    EXPECT_FALSE(carry_over.was_refused(record(7, 2, "{}")));
}

// It is read again at another place, and counted from another row on.
TEST(KafkaCarryOverTest, ARowOfASnapshotIsKnownByItsKey) {
    const auto row = [](std::uint64_t place, std::uint64_t ordinal, std::string_view key) {
        Record read = record(place, ordinal);
        read.operation = Operation::read;
        read.key = key;
        return read;
    };
    KafkaCarryOver carry_over;
    carry_over.refused(row(7, 101, "1"));
    EXPECT_TRUE(carry_over.was_refused(row(90, 1, "1")));
    EXPECT_FALSE(carry_over.was_refused(row(90, 1, "2")));
    EXPECT_FALSE(carry_over.was_refused(record(7, 101)));
}

TEST(KafkaCarryOverTest, ItForgetsTheOldestRatherThanGrow) {
    KafkaCarryOver carry_over;
    for (std::uint64_t i = 0; i < 5000; ++i) carry_over.refused(record(1, i));
    EXPECT_FALSE(carry_over.was_refused(record(1, 0)));
    EXPECT_TRUE(carry_over.was_refused(record(1, 4999)));
}

}  // namespace
}  // namespace pgc
