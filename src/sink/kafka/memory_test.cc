#include "sink/kafka/memory.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

Record record(std::uint64_t commit, std::uint64_t ordinal, std::string_view value = "v") {
    return {.value = value, .commit_lsn = Lsn{commit}, .ordinal = ordinal};
}

TEST(KafkaMemoryTest, TheSmallestBatchSizeIsKept) {
    KafkaMemory memory;
    memory.batch_bytes_at_most(5000);
    memory.batch_bytes_at_most(9000);
    EXPECT_EQ(memory.batch_bytes_max(), 5000U);
}

TEST(KafkaMemoryTest, ARefusedRecordIsKnownAgain) {
    KafkaMemory memory;
    EXPECT_FALSE(memory.refused_any());
    memory.refused(record(7, 2));
    EXPECT_TRUE(memory.was_refused(record(7, 2)));
    EXPECT_FALSE(memory.was_refused(record(7, 3)));
    EXPECT_FALSE(memory.was_refused(record(8, 2)));
}

TEST(KafkaMemoryTest, TheTwoRecordsOfAKeyChangeAreToldApart) {
    KafkaMemory memory;
    memory.refused(record(7, 2, "a large row"));
    EXPECT_FALSE(memory.was_refused(record(7, 2, "{}")));
}

TEST(KafkaMemoryTest, ItForgetsTheOldestRatherThanGrow) {
    KafkaMemory memory;
    for (std::uint64_t i = 0; i < 5000; ++i) memory.refused(record(1, i));
    EXPECT_FALSE(memory.was_refused(record(1, 0)));
    EXPECT_TRUE(memory.was_refused(record(1, 4999)));
}

}  // namespace
}  // namespace pgc
