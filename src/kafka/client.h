// One librdkafka instance and what surrounds it: made from the configuration, its logs and
// errors written to our log, its events taken by our loop.
//
//   poll() hands out what the role asked for (delivery reports, fetched records, results of
//   admin requests) and takes what concerns the client itself:
//     a broker that can't be reached, or doesn't believe us   -> trouble()
//     a fatal error                                           -> failed()
//
// Nothing it does makes a broker create a topic by itself (auto.create.topics.enable): only
// rd_kafka_CreateTopics() does.
//
// Trouble ends nothing by itself: librdkafka goes on trying for ever, with the secrets and
// certificates it was made with. So who is not believed makes another client. The owner
// reports both; here they are logged for debugging only. Secrets appear in no text that
// leaves it, whatever the library writes.
//
// Threads: made, polled and destroyed by one thread, the pipeline's. librdkafka has threads
// of its own, which log; they end in the destructor.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wake.h"
#include "kafka/broker_errors.h"
#include "kafka/connection.h"
#include "kafka/properties.h"
#include "observe/log.h"

namespace pgc {

struct KafkaAdminOptionsFree {
    void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
        rd_kafka_AdminOptions_destroy(options);
    }
};
using KafkaAdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaAdminOptionsFree>;

struct KafkaEventFree {
    void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
};
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaEventFree>;

class KafkaClient {
public:
    // A consumer is not a member of any group: it is given its partitions by
    // rd_kafka_consume_start_queue(…, queue()), which needs no more rights than to read them.
    enum class Kind : std::uint8_t { producer, consumer };

    struct Deps {
        const KafkaConnection& config;  // read only while it is made
        Kind kind = Kind::producer;
        // The role's own; they win over the configuration's.
        std::span<const KafkaProperty> properties;
        const Clock& clock;  // outlives it
        Logger logger;
    };
    // Fails on a secret that can't be read or a certificate that is not valid. Connects to nobody.
    static Result<std::unique_ptr<KafkaClient>> make(const Deps& deps);

    KafkaClient(const KafkaClient&) = delete;
    KafkaClient& operator=(const KafkaClient&) = delete;
    // Ends librdkafka's threads. Messages that were not reported are forgotten: a producer
    // that lent them purges and takes their reports first.
    ~KafkaClient();

    rd_kafka_t* handle() const noexcept { return client_; }
    // Where its events come, and answers to admin requests may be sent.
    rd_kafka_queue_t* queue() const noexcept { return queue_; }

    const Clock& clock() const noexcept { return clock_; }

    // The next event of the role, or nothing now: then wake_fd() is no longer readable until
    // there is one. RD_KAFKA_EVENT_DR, _FETCH, results of admin requests, and _ERROR only where
    // it is of one partition (rd_kafka_event_topic_partition). To be freed before the client.
    KafkaEvent poll();
    // Readable when poll() may give something, or after notify(), of any thread.
    int wake_fd() const noexcept { return wake_.fd(); }
    void notify() noexcept { wake_.notify(); }

    // Without our secrets.
    std::string scrubbed(std::string_view text) const;

    // Set by poll() after a fatal error: nothing works any more, another one must be made,
    // unless the error says stop. What was not reported comes again from the ledger.
    const std::optional<Error>& failed() const noexcept { return failed_; }

    // What keeps us from brokers: the cause that says most of all that were reported.
    using Trouble = KafkaBrokerErrors::Worst;
    std::optional<Trouble> trouble() const;
    // A broker has answered the role: what was reported before is over, until it is reported again.
    void answered() noexcept;

private:
    explicit KafkaClient(const Deps& deps);

    Result<void> start(const Deps& deps);
    void take_error(rd_kafka_event_t* event);
    static void log(const rd_kafka_t* client, int level, const char* facility, const char* text);

    // Constant once librdkafka's threads run.
    const Clock& clock_;
    const Logger logger_;
    std::vector<Secret> secrets_;  // to be kept out of texts

    rd_kafka_t* client_ = nullptr;
    rd_kafka_queue_t* queue_ = nullptr;
    Wake wake_;
    std::optional<Error> failed_;
    KafkaBrokerErrors broker_errors_;
};

}  // namespace pgc
