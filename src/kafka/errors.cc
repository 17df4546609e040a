#include "kafka/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace pgc {
namespace {

using enum Error::Category;
constexpr auto kRetry = Error::Next::retry;
constexpr auto kStop = Error::Next::stop;

struct Meaning {
    rd_kafka_resp_err_t code;
    Error::Category category;
    Error::Next next;
    std::string_view hint = {};
};

constexpr std::string_view kGrant =
    "allow our principal to Describe, Write and, with kafka.topics.create, Create the topic "
    "(kafka-acls --add --operation …)";
constexpr std::string_view kTransactions =
    "allow our principal to Describe and Write the transactional ID (kafka-acls --add "
    "--transactional-id …): kafka.transactional_id, or pg-capture. and the pipeline's name";
constexpr std::string_view kCredentials =
    "check kafka.security: protocol, mechanism, username and password; a secret in a file is read "
    "again at each attempt";
constexpr std::string_view kTls =
    "check kafka.security.protocol, the authorities in kafka.security.ca, and that the broker's "
    "certificate names the host of kafka.brokers";
constexpr std::string_view kOurCertificate =
    "the broker wants a certificate of ours, or another one: check kafka.security.certificate and "
    "kafka.security.key";
constexpr std::string_view kTooLarge =
    "raise max.message.bytes of the topic (and message.max.bytes of the brokers), or set "
    "kafka.oversize to dead_letter";
constexpr std::string_view kReplicas =
    "bring the topic's replicas back, or lower its min.insync.replicas";
constexpr std::string_view kMakeTopic = "create the topic, or set kafka.topics.create to true";
constexpr std::string_view kCodec =
    "set kafka.compression to one the brokers know (zstd needs Kafka 2.1)";
constexpr std::string_view kTopicShape = "change kafka.topics to what the brokers allow";

// All that a producer, an admin request or an assigned consumer can meet.
constexpr Meaning kMeanings[] = {
    // The library's own.
    {RD_KAFKA_RESP_ERR__BAD_MSG, protocol, kRetry},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, protocol, kStop},
    {RD_KAFKA_RESP_ERR__DESTROY, internal, kRetry},
    {RD_KAFKA_RESP_ERR__FAIL, sink, kRetry},
    {RD_KAFKA_RESP_ERR__TRANSPORT, connection, kRetry,
     "check kafka.brokers, the network, and that kafka.security.protocol is what they speak there"},
    {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, storage, kRetry,
     "look for limits on threads, descriptors and memory (ulimit)"},
    {RD_KAFKA_RESP_ERR__RESOLVE, connection, kRetry,
     "check the host names in kafka.brokers and in the brokers' advertised.listeners"},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, sink, kRetry},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, sink, kRetry},
    {RD_KAFKA_RESP_ERR__FS, storage, kStop, "check the files named in kafka.security"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, sink, kRetry, kMakeTopic},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, connection, kRetry,
     "check that the brokers run, kafka.brokers and the network"},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, configuration, kStop},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, connection, kRetry},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, sink, kRetry},
    {RD_KAFKA_RESP_ERR__ISR_INSUFF, sink, kRetry, kReplicas},
    {RD_KAFKA_RESP_ERR__SSL, authentication, kRetry, kTls},
    {RD_KAFKA_RESP_ERR__CONFLICT, internal, kStop},
    {RD_KAFKA_RESP_ERR__STATE, internal, kRetry},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL, configuration, kStop},
    {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, configuration, kStop},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, authentication, kRetry, kCredentials},
    {RD_KAFKA_RESP_ERR__NO_OFFSET, sink, kRetry},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, sink, kRetry},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, configuration, kStop,
     "update the brokers (Kafka 2.0 or later), or do without what needs it"},
    {RD_KAFKA_RESP_ERR__KEY_SERIALIZATION, internal, kStop},
    {RD_KAFKA_RESP_ERR__VALUE_SERIALIZATION, internal, kStop},
    {RD_KAFKA_RESP_ERR__READ_ONLY, internal, kStop},
    {RD_KAFKA_RESP_ERR__UNDERFLOW, protocol, kRetry},
    {RD_KAFKA_RESP_ERR__INVALID_TYPE, internal, kStop},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, sink, kRetry},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, sink, kRetry},
    {RD_KAFKA_RESP_ERR__FATAL, sink, kRetry},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, sink, kRetry},
    {RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, sink, kRetry},
    {RD_KAFKA_RESP_ERR__NOT_CONFIGURED, configuration, kStop},
    {RD_KAFKA_RESP_ERR__FENCED, sink, kRetry},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, sink, kRetry},
    {RD_KAFKA_RESP_ERR__LOG_TRUNCATION, sink, kRetry},
    {RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD, sink, kRetry},

    // The brokers'.
    {RD_KAFKA_RESP_ERR_UNKNOWN, server, kRetry, "look into the broker's log"},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, sink, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, protocol, kRetry},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, sink, kRetry, kMakeTopic},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, protocol, kRetry},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, server, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, server, kRetry},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, server, kRetry},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, server, kRetry},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, server, kRetry},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, sink, kStop, kTooLarge},
    {RD_KAFKA_RESP_ERR_STALE_CTRL_EPOCH, server, kRetry},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, connection, kRetry},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, server, kRetry},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, server, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, server, kRetry},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, configuration, kStop,
     "change kafka.topic: Kafka takes neither a name it can't hold nor one that differs from an "
     "existing topic's in . and _ only"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, sink, kStop,
     "raise segment.bytes of the topic, or lower kafka.batch_size"},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, server, kRetry, kReplicas},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, server, kRetry, kReplicas},
    {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, configuration, kStop, "set kafka.acks to all"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, permission, kStop, kGrant},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, permission, kStop,
     "allow our principal to Read the group (kafka-acls --add --operation Read --group …)"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, permission, kStop,
     "allow our principal IdempotentWrite on the cluster (brokers before 2.8) and, with "
     "kafka.topics.create, Create"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, configuration, kStop,
     "set message.timestamp.type of the topic to LogAppendTime, or widen its "
     "message.timestamp.before.max.ms"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, authentication, kStop,
     "set kafka.security.mechanism to one the brokers' listener offers"},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, authentication, kRetry, kCredentials},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, configuration, kStop,
     "update the brokers: pg-capture needs Kafka 2.0 or later"},
    {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, sink, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, configuration, kStop, kTopicShape},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, configuration, kStop,
     "set kafka.topics.replication_factor to no more than there are brokers; -1, the brokers' "
     "default, needs Kafka 2.4"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, configuration, kStop, kTopicShape},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, configuration, kStop, "correct kafka.topics.config"},
    {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, server, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_REQUEST, server, kRetry, "look into the broker's log"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, configuration, kStop,
     "set message.format.version of the topic to 0.11 or later"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, permission, kStop,
     "change kafka.topics to what the cluster's policy allows, or create the topic by hand"},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, sink, kRetry},
    {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, sink, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, sink, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, sink, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, sink, kRetry},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, permission, kStop, kTransactions},
    {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, configuration, kStop,
     "raise transaction.max.timeout.ms of the brokers"},
    {RD_KAFKA_RESP_ERR_SECURITY_DISABLED, configuration, kStop},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, server, kRetry, "look at the broker's disks"},
    {RD_KAFKA_RESP_ERR_LOG_DIR_NOT_FOUND, server, kRetry, "look at the broker's disks"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, authentication, kRetry, kCredentials},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, sink, kRetry},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_EXPIRED, authentication, kRetry, kCredentials},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, server, kRetry},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, server, kRetry},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, configuration, kStop, kCodec},
    {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, server, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, configuration, kStop,
     "compacted topics take no record without a key: set cleanup.policy of the topic to delete, "
     "or give the table a primary key"},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, server, kRetry},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, sink, kRetry},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID, server, kRetry},
};

Meaning meaning_of(rd_kafka_resp_err_t code) {
    const auto* found = std::ranges::find(kMeanings, code, &Meaning::code);
    if (found != std::end(kMeanings)) return *found;
    return {.code = code, .category = server, .next = kRetry};
}

// With TLS 1.3 a broker refuses our certificate after the handshake: to the library a connection
// that broke. Which alert it sends ("certificate required", "bad certificate") is its own choice.
bool indicates_our_certificate(std::string_view detail) noexcept {
    return detail.contains("alert") && detail.contains("certificate");
}

}  // namespace

Error kafka_error(rd_kafka_resp_err_t code, std::string_view what, std::string_view detail) {
    Meaning meaning = meaning_of(code);
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT && indicates_our_certificate(detail)) {
        meaning = {.code = code,
                   .category = authentication,
                   .next = Error::Next::retry,
                   .hint = kOurCertificate};
    }
    return {.category = meaning.category,
            .next = meaning.next,
            .what = fmt::format("{}: {}", what, detail.empty() ? rd_kafka_err2str(code) : detail),
            .where = {},
            .hint = std::string{meaning.hint}};
}

std::string_view kafka_error_name(rd_kafka_resp_err_t code) noexcept {
    return rd_kafka_err2name(code);
}

}  // namespace pgc
