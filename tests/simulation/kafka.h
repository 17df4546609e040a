// A Kafka cluster in the simulated world, behind the port of sink/kafka/producer.h: so the
// real KafkaSink runs in the seeds.
//
// Each partition writes what it was given in its order, a few records a request, after a
// while; reports come later still, those of different requests in any order. Requests fail,
// with what is after them or alone; producers meet fatal errors; queues are full; topics
// appear slowly, are made by others a moment before us with a partition more, are deleted, come
// back; the cluster is away for long.
// When a producer goes, part of what it had arrives all the same, and nobody is told.
//
// With transactions the oracle is told of records, and the topic of positions gets the position
// among them, when a commit arrives: of a producer that nobody has fenced by then. A commit may
// fail though it has arrived.
//
// The oracle is told of a record once all that were produced before it are written; of one for
// all partitions (a TRUNCATE) once each partition of its topic has it, which must be the case
// before the next record is produced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulation/fake_log.h"
#include "simulation/mutation.h"
#include "simulation/oracle.h"
#include "simulation/world.h"
#include "sink/kafka/producer.h"

namespace pgc::sim {

struct KafkaHabits {
    Duration delay_max{0};            // of a request, and again of its report
    std::size_t request_records = 1;  // at most
    unsigned failures_per_10000 = 0;  // of each request
    unsigned fatal_per_10000 = 0;     // likewise
    std::size_t queue_max = 1'000'000;
    std::size_t message_bytes_max = 1'000'000;  // of topics that are made
    std::int32_t partitions = 1;                // likewise
    bool gapless = true;                        // after a failed record nothing is written
    bool others_make_topics = false;            // sometimes before us, in a way of their own
    bool transactions = false;
};

// Where marks of transactions go.
inline constexpr std::string_view kMarkTopicTemplate = "{prefix}.transactions";
inline constexpr std::string_view kMarkTopic = "cdc.transactions";

class FakeCluster final : public KafkaProducers {
public:
    // `positions` is the topic of that name.
    FakeCluster(World& world, Oracle& oracle, FakeTopic& positions, const KafkaHabits& habits,
                Mutation mutation)
        : world_(world),
          oracle_(oracle),
          positions_(positions),
          habits_(habits),
          mutation_(mutation) {}

    Result<std::unique_ptr<KafkaProducer>> make(std::size_t batch_bytes) override;
    void retire(std::unique_ptr<KafkaProducer> producer, std::vector<RecordBatch> lent) override;

    // Faults.
    void go_away(Duration time);
    void delete_topics() { topics_.clear(); }

private:
    friend class FakeClusterProducer;
    struct Topic {
        std::int32_t partitions = 1;
        std::size_t message_bytes_max = 0;
    };

    World& world_;
    Oracle& oracle_;
    FakeTopic& positions_;
    const KafkaHabits& habits_;
    const Mutation mutation_;
    std::uint64_t epoch_ = 0;  // of the producer that was initialised last
    std::int32_t partitions_of(const std::string& topic, bool by_others);

    std::map<std::string, Topic> topics_;
    std::map<std::string, std::int32_t> partitions_;  // of topics that were ever there
    std::map<std::pair<std::string, std::string>, std::int32_t> homes_;  // topic, key -> partition
    Instant away_until_{};
};

}  // namespace pgc::sim
