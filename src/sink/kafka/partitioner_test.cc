#include "sink/kafka/partitioner.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace pgc {
namespace {

Record with_key(std::string_view key) {
    Record record;
    record.has_key = true;
    record.key = key;
    return record;
}

std::vector<std::int32_t> partitions(KafkaPartitioner partitioner, int count) {
    std::vector<std::int32_t> all;
    for (int i = 0; i < count; ++i) all.push_back(partitioner(with_key(std::to_string(i))));
    return all;
}

// The expectations of UtilsTest.testMurmur2 in Kafka's own tests.
TEST(Murmur2Test, IsKafkasOwn) {
    const std::pair<std::string_view, std::int32_t> vectors[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (const auto& [text, hash] : vectors) {
        EXPECT_EQ(static_cast<std::int32_t>(murmur2(text)), hash) << text;
    }
}

TEST(Murmur2Test, AgreesWithTheOtherClientOnAnyBytes) {
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string key(random() % 40, '\0');
        for (char& c : key) c = static_cast<char>(random());
        const auto count = static_cast<std::int32_t>(1 + random() % 1000);
        ASSERT_EQ(partition_of(key, count),
                  rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), count, nullptr,
                                                   nullptr));
    }
}

TEST(KafkaPartitionerTest, OneKeyAlwaysGoesToOnePartition) {
    KafkaPartitioner partitioner({KafkaPartitionBy::key}, "public.users", 12);
    for (int i = 0; i < 100; ++i) {
        const std::string key = R"({"id":)" + std::to_string(i) + "}";
        EXPECT_EQ(partitioner(with_key(key)), partition_of(key, 12));
        EXPECT_EQ(partitioner(with_key(key)), partition_of(key, 12));
    }
}

TEST(KafkaPartitionerTest, RecordsWithoutAKeyKeepTheirTablesOrder) {
    KafkaPartitioner partitioner({KafkaPartitionBy::key}, "public.log", 12);
    EXPECT_EQ(partitioner(Record{}), partition_of("public.log", 12));
    EXPECT_EQ(partitioner(Record{}), partition_of("public.log", 12));
}

TEST(KafkaPartitionerTest, ATableMayHaveOnePartition) {
    const auto all =
        partitions(KafkaPartitioner({KafkaPartitionBy::table}, "public.users", 12), 50);
    EXPECT_EQ(std::set(all.begin(), all.end()), std::set{partition_of("public.users", 12)});
}

TEST(KafkaPartitionerTest, RoundRobinVisitsAllInTurn) {
    const auto all =
        partitions(KafkaPartitioner({KafkaPartitionBy::round_robin}, "public.users", 3), 6);
    EXPECT_EQ(std::set(all.begin(), all.begin() + 3), (std::set{0, 1, 2}));
    EXPECT_EQ(std::vector(all.begin(), all.begin() + 3), std::vector(all.begin() + 3, all.end()));
}

TEST(KafkaPartitionerTest, ColumnsDecideWhereARecordHasThem) {
    KafkaPartitioner partitioner({KafkaPartitionBy::columns}, "public.orders", 12);
    Record record = with_key(R"({"id":1})");
    EXPECT_EQ(partitioner(record), partition_of(R"({"id":1})", 12));
    record.partition_by = R"({"customer":7})";
    EXPECT_EQ(partitioner(record), partition_of(R"({"customer":7})", 12));
    EXPECT_EQ(partitioner(Record{}), partition_of("public.orders", 12));
}

TEST(KafkaPartitionerTest, FixedMeansFixed) {
    const auto all = partitions(KafkaPartitioner({KafkaPartitionBy::fixed, 5}, "t", 12), 50);
    EXPECT_EQ(std::set(all.begin(), all.end()), std::set{5});
}

TEST(KafkaPartitionerTest, WhateverItIsAskedThePartitionExists) {
    using enum KafkaPartitionBy;
    std::mt19937 random(11);
    for (const auto by : {key, table, round_robin, columns, fixed}) {
        for (std::int32_t count = 1; count < 40; ++count) {
            KafkaPartitioner partitioner({by, count - 1}, "t", count);
            for (int i = 0; i < 50; ++i) {
                const std::string text = std::to_string(random());
                Record record = with_key(text);
                record.has_key = random() % 2 == 0;
                if (random() % 2 == 0) record.partition_by = text;
                const auto partition = partitioner(record);
                ASSERT_GE(partition, 0);
                ASSERT_LT(partition, count);
            }
        }
    }
}

}  // namespace
}  // namespace pgc
