// KafkaProducer over librdkafka. Only calls of the library stand here; what they mean is
// decided above (sink.h and below).
//
// Payloads are lent: librdkafka reads values where they lie until the record's report. Keys
// and headers it copies.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kafka/client.h"
#include "observe/log.h"
#include "sink/kafka/config.h"
#include "sink/kafka/header_bytes.h"
#include "sink/kafka/producer.h"
#include "sink/kafka/transaction_calls.h"

namespace pgc {

class RdKafkaProducer final : public KafkaProducer {
public:
    // A question that has no answer by then is answered with a time-out.
    static constexpr Duration kAnswer_max = std::chrono::seconds{10};

    explicit RdKafkaProducer(std::unique_ptr<KafkaClient> client,
                             Duration answer_max = kAnswer_max);
    ~RdKafkaProducer() override;

    KafkaTopic* topic(const std::string& name) override;
    Taken produce(std::span<const KafkaOutgoing> records, bool place_headers) override;
    KafkaCode produce(const KafkaOutgoing& record, std::span<const RecordHeader> headers) override;
    void initialise() override;
    KafkaCode begin() override;
    void commit() override;
    void look_up(std::span<const std::string> topics) override;
    void create(std::span<const KafkaNewTopic> topics) override;
    void limits(std::span<const std::string> topics) override;
    void collect(KafkaReports& into) override;
    int wake_fd() const noexcept override { return client_->wake_fd(); }

    // Drops what it has and takes the reports, for at most `time`. True when no record is
    // lent any more.
    bool purge(const Clock& clock, Duration time);
    // Gives up the transaction that is open, if one is. May block for so long. Not one whose
    // records may still arrive: behind its end they would be in a transaction that nobody ends.
    // The next producer of its name ends that, or the brokers do after a while, and both refuse
    // what comes late.
    void abandon(Duration time);

private:
    using To = KafkaReports::Answer::To;
    struct Asked {
        To to;
        std::vector<std::string> topics;
    };

    rd_kafka_AdminOptions_t* options_for(To to, std::vector<std::string> topics);
    void take_deliveries(rd_kafka_event_t* event, KafkaReports& into);
    void take_topics(const rd_kafka_event_t* event, KafkaReports& into);
    void take_created(const rd_kafka_event_t* event, KafkaReports& into);
    void take_limits(const rd_kafka_event_t* event, KafkaReports& into);
    // A request that got no answer: each of its topics has the code.
    void take_unanswered(const Asked& asked, rd_kafka_event_t* event, KafkaReports& into);

    const std::unique_ptr<KafkaClient> client_;
    const Duration answer_max_;
    std::map<std::string, rd_kafka_topic_t*, std::less<>> topics_;
    std::map<void*, std::unique_ptr<Asked>> asked_;  // by address, the request's opaque
    KafkaHeaderBytes headers_;                       // of the record that is handed over
    std::size_t lent_ = 0;
    bool reported_fatal_ = false;
    bool in_transaction_ = false;
    bool may_arrive_ = false;                       // what was dropped on its way to a broker
    std::unique_ptr<KafkaTransactionCalls> calls_;  // of one that has transactions
};

class RdKafkaProducers final : public KafkaProducers {
public:
    // How long retire() and the destructor wait, each.
    static constexpr Duration kPurge_max = std::chrono::milliseconds{500};
    static constexpr Duration kEnd_max = std::chrono::milliseconds{1000};
    // How long a transaction's end is waited for: else the brokers end it themselves, later.
    static constexpr Duration kAbandon_max = std::chrono::milliseconds{700};

    RdKafkaProducers(const KafkaConfig& config, const Clock& clock, Logger logger);
    // Threads that are still in a look-up of a name are left behind.
    ~RdKafkaProducers() override;

    Result<std::unique_ptr<KafkaProducer>> make(std::size_t batch_bytes) override;
    void retire(std::unique_ptr<KafkaProducer> producer, std::vector<RecordBatch> lent) override;

private:
    // Of those that are ending, each in a thread of its own; outlives this if they do.
    struct Ending {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t count = 0;  // protected by mutex
    };

    const KafkaConfig& config_;
    const Clock& clock_;
    const Logger logger_;
    const std::shared_ptr<Ending> ending_ = std::make_shared<Ending>();
};

}  // namespace pgc
