#include "sink/kafka/partitioner.h"

#include <bit>
#include <cassert>
#include <cstring>

namespace pgc {
namespace {

constexpr std::uint32_t kMultiplier = 0x5bd1e995;

std::uint32_t little_endian(const char* bytes) noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return std::endian::native == std::endian::little ? value : std::byteswap(value);
}

std::uint32_t byte_at(std::string_view bytes, std::size_t place) noexcept {
    return static_cast<unsigned char>(bytes[place]);
}

}  // namespace

std::uint32_t murmur2(std::string_view bytes) noexcept {
    std::uint32_t hash = 0x9747b28c ^ static_cast<std::uint32_t>(bytes.size());
    for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
        std::uint32_t word = little_endian(bytes.data()) * kMultiplier;
        word ^= word >> 24;
        hash = (hash * kMultiplier) ^ (word * kMultiplier);
    }
    if (!bytes.empty()) {
        for (std::size_t i = 0; i < bytes.size(); ++i) hash ^= byte_at(bytes, i) << (8 * i);
        hash *= kMultiplier;
    }
    hash ^= hash >> 13;
    hash *= kMultiplier;
    return hash ^ (hash >> 15);
}

std::int32_t partition_of(std::string_view key, std::int32_t partitions) noexcept {
    return static_cast<std::int32_t>(murmur2(key) & 0x7fffffff) % partitions;
}

KafkaPartitioner::KafkaPartitioner(const KafkaPartitioning& how, std::string_view name,
                                   std::int32_t partitions)
    : by_(how.by), partitions_(partitions), next_(partition_of(name, partitions)) {
    assert(partitions >= 1);
    if (by_ == KafkaPartitionBy::fixed) {
        assert(how.fixed < partitions);
        next_ = how.fixed;
    }
}

std::int32_t KafkaPartitioner::operator()(const Record& record) noexcept {
    switch (by_) {
        case KafkaPartitionBy::table:
        case KafkaPartitionBy::fixed: return next_;
        case KafkaPartitionBy::round_robin: {
            const auto partition = next_;
            next_ = (next_ + 1) % partitions_;
            return partition;
        }
        case KafkaPartitionBy::columns:
            if (!record.partition_by.empty()) return partition_of(record.partition_by, partitions_);
            break;
        case KafkaPartitionBy::key: break;
    }
    return record.has_key ? partition_of(record.key, partitions_) : next_;
}

}  // namespace pgc
