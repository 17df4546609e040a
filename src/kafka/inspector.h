// What `check` asks of a cluster, without changing anything: a thin port.
//
// Two implementations: RdKafkaInspector (rdkafka_inspector.h) and, in check_test.cc, a cluster
// in memory. Each call waits for its answer, for no longer than the limit it was made with;
// the running sink never comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "kafka/new_topic.h"

namespace pgc {

struct KafkaClusterFacts {
    std::string id;
    std::size_t brokers = 0;
    std::string version;  // as a broker reports it, "3.9-IV0"; empty where none does
    // Of a broker's configuration; 0 where we may not read it.
    std::int32_t transaction_replicas = 0;  // of the topic of transactions, when it is created
    std::int64_t transaction_max_ms = 0;    // no transaction may take longer
};

// One of kafka.brokers, asked alone.
struct KafkaReached {
    std::string broker;  // as it was configured
    // Of the cluster it belongs to; nothing when it can't be reached.
    std::optional<std::string> cluster;
    // Why it can't; or, of one that answered, why those it named can't: their addresses are
    // their own (advertised.listeners).
    std::optional<Error> error;
};

// What our principal may do with a topic; everything where brokers have no authorizer.
struct KafkaRights {
    bool describe = true;
    bool read = true;
    bool write = true;
};

struct KafkaTopicFacts {
    std::string name;
    bool exists = false;
    std::optional<Error> error;  // it can't be looked at; then all else means nothing
    std::int32_t partitions = 0;
    std::int32_t leaderless = 0;  // partitions that nobody can write to now
    std::int32_t replicas = 0;    // of the partition that has the fewest
    std::int32_t in_sync = 0;     // likewise
    KafkaRights rights;
    // Its configuration; nothing where we may not read it.
    struct Config {
        std::size_t message_bytes_max = 0;
        std::int32_t min_in_sync = 1;
        std::string cleanup_policy;
    };
    std::optional<Config> config;
};

class KafkaInspector {
public:
    KafkaInspector() = default;
    KafkaInspector(const KafkaInspector&) = delete;
    KafkaInspector& operator=(const KafkaInspector&) = delete;
    virtual ~KafkaInspector() = default;

    // Each of the brokers by itself, all at the same time. An Error is one of the
    // configuration: a certificate that is not valid, a secret that can't be read.
    [[nodiscard]] virtual Result<std::vector<KafkaReached>> reach() = 0;

    // The cluster as whoever answers describes it.
    [[nodiscard]] virtual Result<KafkaClusterFacts> cluster() = 0;
    // In the order asked for.
    [[nodiscard]] virtual Result<std::vector<KafkaTopicFacts>> topics(
        std::span<const std::string> names) = 0;
    // Whether these could be created now: why not, or nothing, a topic each. None is.
    [[nodiscard]] virtual Result<std::vector<std::optional<Error>>> try_create(
        std::span<const KafkaNewTopic> topics) = 0;
};

}  // namespace pgc
