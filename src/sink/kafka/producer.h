// One producer of a Kafka cluster: what we use of librdkafka to find topics and write
// records, and nothing more.
//
// Two implementations: RdKafkaProducer (rdkafka_producer.h) and, in tests, a cluster in
// memory (tests/support/fake_kafka.h). Everything above this line is a state machine that
// never blocks and can be simulated. Calls are per batch or group, never per row.
//
//   produce()   lends records; each taken one is reported exactly once, by collect()
//   look_up() … create() … limits()   ask the cluster; answers come by collect() too
//   initialise() … begin() … commit() of one that has transactions; likewise
//   collect()   whatever has arrived since; wake_fd() is readable when there may be something
//
// Threads: all calls by one thread, the pipeline's. What librdkafka's own threads have to
// say waits in its queue until collect().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/record.h"
#include "kafka/new_topic.h"

namespace pgc {

// librdkafka's rd_kafka_resp_err_t as a number; 0 is success. Those that are distinguished
// above the port:
enum class KafkaCode : int {
    none = 0,
    local_queue_full = -184,
    local_unknown_partition = -190,
    local_unknown_topic = -188,
    local_timed_out = -185,
    local_transport = -195,
    local_purged_queue = -152,
    local_purged_inflight = -151,
    local_fatal = -150,
    unknown_topic = 3,
    leader_not_available = 5,
    request_timed_out = 7,
    message_too_large = 10,
    topic_exists = 36,
    topic_refused = 29,    // TOPIC_AUTHORIZATION_FAILED
    cluster_refused = 31,  // CLUSTER_AUTHORIZATION_FAILED
    bad_replication = 38,
    policy_violation = 44,
    out_of_order = 45,
};

// A topic to write to; belongs to the producer.
class KafkaTopic;

// What a record is known by on its way: its batch, as the sink numbers them, and its index in that.
struct KafkaTag {
    std::uint32_t batch = 0;
    std::uint32_t record = 0;
    bool operator==(const KafkaTag&) const = default;
};

// A record on its way. Key, value and headers are lent until it is reported.
struct KafkaOutgoing {
    KafkaTopic* topic = nullptr;
    std::int32_t partition = 0;
    const Record* record = nullptr;
    KafkaTag tag;
};

// What collect() brought.
struct KafkaReports {
    // Records that are safe as `acks` says; neighbours of one batch are counted together.
    struct Written {
        std::uint32_t batch = 0;
        std::uint32_t records = 0;
    };
    struct Failed {
        KafkaTag tag;
        KafkaCode code{};
        std::int32_t partition = -1;
        KafkaTopic* topic = nullptr;
    };
    // To look_up(), create() and limits(), a topic each.
    struct Answer {
        enum class To : std::uint8_t { look_up, create, limits };
        To to{};
        std::string topic;
        KafkaCode code{};                   // of this topic, or of the whole request
        std::string text;                   // the cluster's own words to `code`; may be empty
        std::int32_t partitions = 0;        // to look_up
        std::size_t message_bytes_max = 0;  // to limits: max.message.bytes
    };
    // To initialise() or commit(). Once it failed the producer is done for; whether a commit
    // arrived all the same nobody knows, but whoever reads the positions after the next one's
    // initialise().
    struct Transaction {
        enum class Step : std::uint8_t { initialised, committed };
        Step step{};
        std::optional<Error> failed;
    };
    std::vector<Written> written;
    std::vector<Failed> failed;
    std::vector<Answer> answers;
    std::optional<Transaction> transaction;
    // The producer is done for: nothing more will be taken. What it still holds is reported
    // as failed, and a report that says more may come right after.
    std::optional<Error> fatal;
    // What the cluster last complained of, or why it can't be reached, while that lasts.
    std::optional<Error> trouble;

    void clear() noexcept {
        written.clear();
        failed.clear();
        answers.clear();
        transaction.reset();
        fatal.reset();
        trouble.reset();
    }
};

class KafkaProducer {
public:
    KafkaProducer() = default;
    KafkaProducer(const KafkaProducer&) = delete;
    KafkaProducer& operator=(const KafkaProducer&) = delete;
    // To be handed to KafkaProducers::retire() while it still has lent records.
    virtual ~KafkaProducer() = default;

    // The topic of this name: it need not exist yet, and is not made by this or by writing to it.
    virtual KafkaTopic* topic(const std::string& name) = 0;

    struct Taken {
        std::size_t records = 0;  // off the front
        KafkaCode refused{};      // why the next one was not; none when all were taken
    };
    // Takes records in their order, each with its partition and the headers it has, before them
    // pgc.lsn and pgc.seq if `place_headers`; stops at the first it refuses.
    virtual Taken produce(std::span<const KafkaOutgoing> records, bool place_headers) = 0;
    // Takes one with these headers and no others.
    virtual KafkaCode produce(const KafkaOutgoing& record,
                              std::span<const RecordHeader> headers) = 0;

    // Of a producer that was made with a name (KafkaProducers::make): its records belong to
    // transactions, and a reader of committed ones sees all of one or nothing.
    //
    // Begins to end whatever is open under the name, and to fence whoever had it before: that one
    // commits nothing more. First of all, once.
    virtual void initialise() = 0;
    // Until commit(), all that is produced belongs together.
    virtual KafkaCode begin() = 0;
    // Begins to commit. Requires: every record taken was reported as written.
    virtual void commit() = 0;

    virtual void look_up(std::span<const std::string> topics) = 0;
    virtual void create(std::span<const KafkaNewTopic> topics) = 0;
    virtual void limits(std::span<const std::string> topics) = 0;

    // Everything that has arrived. Makes wake_fd() unreadable until there is more.
    virtual void collect(KafkaReports& into) = 0;
    virtual int wake_fd() const noexcept = 0;
};

// Makes producers, and outlives them.
class KafkaProducers {
public:
    KafkaProducers() = default;
    KafkaProducers(const KafkaProducers&) = delete;
    KafkaProducers& operator=(const KafkaProducers&) = delete;
    virtual ~KafkaProducers() = default;

    // One whose batches have at most `batch_bytes`; with transactions under the configured name, if
    // there is one. Reads secrets again.
    [[nodiscard]] virtual Result<std::unique_ptr<KafkaProducer>> make(std::size_t batch_bytes) = 0;

    // Ends a producer in bounded time: nothing more is sent, and a transaction that is open is
    // given up. `lent` is what its records may still point to; it is kept until that is over,
    // beyond this call if need be.
    virtual void retire(std::unique_ptr<KafkaProducer> producer, std::vector<RecordBatch> lent) = 0;
};

}  // namespace pgc
