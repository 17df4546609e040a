// What everything here gets from the configuration: kafka.*, dead_letter_topic, state.topic,
// format.headers. Made by kafka_config() of options.h; plain data, read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/words.h"
#include "config/settings.h"
#include "core/name_pattern.h"
#include "sink/kafka/partitioner.h"

namespace pgc {

// What kafka.security.protocol and .mechanism stand for; the words are librdkafka's own.
struct KafkaProtocol {
    bool encrypted = false;
    bool sasl = false;

    bool operator==(const KafkaProtocol&) const = default;
};
inline constexpr auto kKafkaProtocols =
    words_for<KafkaProtocol>({{"PLAINTEXT", {.encrypted = false, .sasl = false}},
                              {"SSL", {.encrypted = true, .sasl = false}},
                              {"SASL_PLAINTEXT", {.encrypted = false, .sasl = true}},
                              {"SASL_SSL", {.encrypted = true, .sasl = true}}});
enum class KafkaCredentials : std::uint8_t { none, password, token };
inline constexpr auto kKafkaMechanisms =
    words_for<KafkaCredentials>({{"none", KafkaCredentials::none},
                                 {"PLAIN", KafkaCredentials::password},
                                 {"SCRAM-SHA-256", KafkaCredentials::password},
                                 {"SCRAM-SHA-512", KafkaCredentials::password},
                                 {"OAUTHBEARER", KafkaCredentials::token}});

// How the brokers are convinced of us, and we of them.
struct KafkaSecurity {
    std::string protocol = "PLAINTEXT";  // SSL, SASL_PLAINTEXT, SASL_SSL
    std::string mechanism = "none";      // PLAIN, SCRAM-SHA-256 …
    std::string username;
    SecretSource password;    // secrets are asked for again by each client; may be unset
    std::string ca;           // file of authorities; empty: the machine's own
    std::string certificate;  // file of ours; empty: none
    std::string key;          // file of its private key
    SecretSource key_password;
    struct OAuth {
        std::string token_url;
        std::string client_id;
        SecretSource client_secret;
        std::string scope;
        std::string extensions;  // "key=value,key=value"
    };
    OAuth oauth;

    bool encrypted() const noexcept { return speaks().encrypted; }
    bool sasl() const noexcept { return speaks().sasl; }
    KafkaCredentials credentials() const noexcept {
        return kKafkaMechanisms.find(mechanism).value_or(KafkaCredentials::none);
    }

private:
    KafkaProtocol speaks() const noexcept {
        return kKafkaProtocols.find(protocol).value_or(KafkaProtocol{});
    }
};

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

struct KafkaConfig {
    std::vector<std::string> brokers;  // "host:port"
    std::string database;              // whose changes these are: {db} of the templates
    std::string topic_prefix = "cdc";
    // Templates of names, good ones; see topic_name.h.
    std::string topic = "{prefix}.{schema}.{table}";
    std::string message_topic = "{prefix}.messages";
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

    KafkaSecurity security;
    std::map<std::string, std::string> properties;  // librdkafka's, all on the allow-list

    // Below `all`, records may be lost when a broker is.
    bool may_lose() const noexcept { return acks != KafkaAcks::all; }
    // Some broker may be another machine and the traffic to it is not encrypted.
    bool plain_text_to_others() const noexcept;
    // The OAuth client's secret goes to another machine and is not encrypted.
    bool secret_in_plain_text() const noexcept;
};

}  // namespace pgc
