// Which partition of its topic a record goes to.
//
//   key          its key's, as Kafka's Java client chooses it: murmur2, bit for bit
//   table        one for all rows of a table
//   round_robin  each in turn: no order is kept
//   columns      by Record::partition_by, likewise; without it like `key`
//   fixed        always the same one
//
// A record without what is asked for (a table without a key) goes where the table's name says,
// so that at least the table's own order is kept. Logical messages have a key, their prefix.
// What concerns all rows (Record::to_all_partitions) is no question here: each partition gets one.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/record.h"

namespace pgc {

enum class KafkaPartitionBy : std::uint8_t { key, table, round_robin, columns, fixed };

struct KafkaPartitioning {
    KafkaPartitionBy by = KafkaPartitionBy::key;
    std::int32_t fixed = 0;  // the partition, for `fixed`
};

// org.apache.kafka.common.utils.Utils.murmur2.
std::uint32_t murmur2(std::string_view bytes) noexcept;

// The partition Kafka's Java client gives a record with this key: 0 … partitions - 1.
std::int32_t partition_of(std::string_view key, std::int32_t partitions) noexcept;

// The partitioner of one table (or of the logical messages) with its topic. A value, cheap
// to ask: meant to stand beside what else is decided once for a table.
class KafkaPartitioner {
public:
    // `name` is "schema.table"; of logical messages anything. Requires: 1 <= partitions, and
    // with `fixed` how.fixed < partitions.
    KafkaPartitioner(const KafkaPartitioning& how, std::string_view name, std::int32_t partitions);

    std::int32_t operator()(const Record& record) noexcept;

private:
    KafkaPartitionBy by_;
    std::int32_t partitions_;
    std::int32_t next_;  // where everything goes, or with round_robin the next record
};

}  // namespace pgc
