// How the sink is configured: how the brokers are reached, and the rest of kafka.*,
// dead_letter_topic, state.topic, format.headers. Made by kafka_config() of options.h; plain data,
// read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/words.h"
#include "core/name_pattern.h"
#include "kafka/connection.h"
#include "kafka/position_config.h"
#include "sink/kafka/partitioner.h"

namespace pgc {

// What a topic that is missing is created with.
struct KafkaTopicSettings {
    bool create = true;
    std::int32_t partitions = 1;
    std::int16_t replication_factor = -1;  // -1: the broker's default
    std::map<std::string, std::string> config;
};

enum class KafkaAcks : std::int8_t { none = 0, leader = 1, all = -1 };
inline constexpr auto kKafkaAcks = words_for<KafkaAcks>(
    {{"all", KafkaAcks::all}, {"1", KafkaAcks::leader}, {"0", KafkaAcks::none}});

// What becomes of a record that no broker takes because of its size.
enum class KafkaOversize : std::uint8_t { fail, dead_letter };
inline constexpr auto kKafkaOversizes = words_for<KafkaOversize>(
    {{"fail", KafkaOversize::fail}, {"dead_letter", KafkaOversize::dead_letter}});

inline constexpr auto kKafkaPartitioners =
    words_for<KafkaPartitionBy>({{"key", KafkaPartitionBy::key},
                                 {"table", KafkaPartitionBy::table},
                                 {"columns", KafkaPartitionBy::columns},
                                 {"round_robin", KafkaPartitionBy::round_robin},
                                 {"fixed", KafkaPartitionBy::fixed}});

// Rows of the tables that match go to a partition by these columns instead of the key.
struct KafkaPartitionColumns {
    NamePattern table;
    std::vector<std::string> columns;
};

// A transaction that is not committed by then is ended by the brokers. So long readers of committed
// records wait at most where a producer was killed and nobody has taken its place. The second, of
// transactions as large as those of the source, is what brokers allow unless configured
// otherwise.
inline constexpr Duration kTransaction_max = std::chrono::seconds{30};
inline constexpr Duration kWhole_transaction_max = std::chrono::minutes{15};

struct KafkaConfig {
    KafkaConnection connection;
    std::string database;  // whose changes these are: {db} of the templates
    std::string topic_prefix = "cdc";
    // Templates of names, good ones; see topic_name.h.
    std::string topic = "{prefix}.{schema}.{table}";
    bool plain_topics = false;  // names of tables' topics are as plain_topic_name() makes them
    std::string message_topic = "{prefix}.messages";
    std::optional<std::string> transaction_topic;  // none: no marks of transactions are written
    std::optional<std::string> heartbeat_topic{};  // none: no heartbeats are sent
    std::string dead_letter_topic = "{prefix}.dead_letters";
    std::string state_topic = "pg-capture.positions";
    KafkaTopicSettings topics;

    KafkaPartitioning partitioning;
    std::vector<KafkaPartitionColumns> partition_columns;  // the first that matches counts

    std::string compression = "snappy";
    KafkaAcks acks = KafkaAcks::all;
    Duration linger_max = std::chrono::milliseconds{100};  // a ceiling, not a delay
    std::optional<std::size_t> batch_bytes_max;            // only if the user set one
    KafkaOversize oversize = KafkaOversize::fail;
    bool headers = true;  // pgc.lsn and pgc.seq with each record
    // Of the pipeline, for records and positions that are committed together; empty: they are not.
    std::string transactional_id;
    std::string pipeline;             // whose position is committed with them
    bool whole_transactions = false;  // each holds whole transactions of the source

    Duration transaction_max() const noexcept {
        return whole_transactions ? kWhole_transaction_max : kTransaction_max;
    }
    bool exactly_once() const noexcept { return !transactional_id.empty(); }
    // Below `all`, records may be lost when a broker fails.
    bool may_lose() const noexcept { return acks != KafkaAcks::all; }

    // Where positions are kept, and how that topic is created.
    PositionTopicConfig position_topic() const {
        return {.connection = connection,
                .name = state_topic,
                .create = topics.create,
                .replication_factor = topics.replication_factor};
    }
};

}  // namespace pgc
