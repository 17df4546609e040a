// Writes records to Kafka: each to its table's topic, in order, and says how far the cluster
// has confirmed them.
//
//   offer ─▶ topics: where to ─▶ delivery ─▶ producer ──▶ librdkafka ──▶ brokers
//                                   ▲                                      │
//   durable ◀── whole prefixes ─────┴────────── reports, one a record ◀────┘
//
// Records are handed over the moment they are accepted. Behind, librdkafka makes larger
// batches of them by itself, because requests are in flight meanwhile; caught up, they leave
// at once. So nothing has to be held back here and caught_up() has nothing to do.
//
// Full it is while a topic is on its way, while the producer has no room, and beyond
// Deps::pending_bytes_max. An outage of the cluster is no error: it stays full, and says so
// in the log (outage.h). Errors, after which another sink has to be built: a record that can't
// be written; a producer that is done for; a topic that takes less in a batch than we send.
//
// A TRUNCATE goes to each partition of its topic, in its place among the rows of each: it is
// durable when all of them have it. The copies are handed over as far as Deps::pending_bytes_max
// goes, the others as these are reported. Too large for its topic, it is one dead letter.
//
// No record after a failed one is ever called durable: delivery.h. With `oversize: fail`
// librdkafka is set (enable.gapless.guarantee) to send nothing after one either.
//
// With transactions (transaction.h) records and position are committed together, and nothing is
// durable before: any failure ends the sink, and what was not committed comes again.
//
// Threads: one, the pipeline's. librdkafka's own end with the producer (KafkaProducers::retire).
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/sink.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/kafka/carry_over.h"
#include "sink/kafka/config.h"
#include "sink/kafka/dead_letters.h"
#include "sink/kafka/delivery.h"
#include "sink/kafka/outage.h"
#include "sink/kafka/producer.h"
#include "sink/kafka/topics.h"
#include "sink/kafka/transaction.h"
#include "sink/lane_positions.h"

namespace pgc {

class KafkaSink final : public Sink {
public:
    // What batches grow to: as much as a topic takes by default.
    static constexpr std::size_t kBatch_bytes = std::size_t{1} << 20;
    // Of one record in librdkafka beside the bytes it is lent, its key and headers included:
    // measured, see docs/internals/kafka.md. One allocation, with headers as well as without.
    static constexpr std::size_t kRecord_bytes = 256;
    static constexpr std::size_t kRecord_bytes_with_headers = 512;
    // Caught up, a request a millisecond and partition is enough.
    static constexpr Duration kGroup_gap = std::chrono::milliseconds{1};
    // After a fatal error the report of the record it is about follows at once.
    static constexpr Duration kReport_of_fatal_max = std::chrono::milliseconds{200};

    struct Deps {
        const KafkaConfig& config;  // all outlive it
        KafkaProducers& producers;
        KafkaCarryOver& carry_over;
        const Clock& clock;
        Metrics& metrics;
        Logger logger;
        std::size_t pending_bytes_max = std::size_t{32} << 20;
        // config.pipeline's in config.state_topic, for transactions; null: there are none.
        std::unique_ptr<PositionStore> positions{};
        std::unique_ptr<PositionStore> first_look{};  // KafkaTransaction::Deps
    };
    static Result<std::unique_ptr<KafkaSink>> make(Deps deps);
    ~KafkaSink() override;

    Guarantee guarantee() const noexcept override {
        return transaction_ ? Guarantee::transactional : Guarantee::append;
    }
    PositionStore* positions() noexcept override {
        return transaction_ ? &transaction_->positions() : nullptr;
    }
    Result<bool> open() override;
    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override;
    Result<void> seal(const StoredPosition& position) override;
    void give_up() override;
    void caught_up() override {}
    void wants(Wants& wants) const override;
    // A commit holds the stream up for some milliseconds and costs the brokers more than a megabyte
    // of records does.
    SealPace seal_pace() const noexcept override {
        return {.least = std::chrono::milliseconds{500}};
    }
    Instant seal_at() const noexcept override { return kNever; }
    void table_ended(const SnapshotTableEnd&) override {}
    void reload_changed(const ReloadChange&) override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override {
        return std::min(config_.linger_max, kGroup_gap);
    }
    std::size_t bytes_per_record() const noexcept override;
    std::size_t pending_bytes() const noexcept override { return delivery_.bytes(); }
    std::string waits_for() const override;

private:
    KafkaSink(Deps deps, std::unique_ptr<KafkaProducer> producer, std::size_t batch_bytes);

    // Takes what the cluster said and does what became possible.
    void turn();
    void step_transaction();
    void take_reports();
    void take_transaction(const KafkaReports::Transaction& report);
    void take_failure(const KafkaReports::Failed& report);
    void take_too_large(const KafkaReports::Failed& report, const Record& record);
    void judge_fatal();
    void judge_batch_size();
    void look_for_outage(bool progressed);
    bool busy() const noexcept {
        return !delivery_.empty() || topics_.busy() || (transaction_ && transaction_->busy());
    }

    // Fills outgoing_; false while a topic of the batch is on its way.
    Result<bool> find_ways(const RecordBatch& batch);
    void add_ways(const Record& record, KafkaTag tag, KafkaTopics::Route& route);
    void hand_over(KafkaDelivery::Pending& pending);
    // False when there is no going on now.
    bool give(KafkaDelivery::Pending& pending, std::size_t records);
    void keep(KafkaDelivery::Pending& pending);
    void put_aside(const Record& record, std::string_view topic, KafkaTag tag);
    void refused(KafkaDelivery::Pending& pending, KafkaCode code);
    std::size_t lent_max() const noexcept;
    std::size_t bytes_of(const RecordBatch& batch, std::size_t records) const noexcept;
    void fail(Error error);

    const KafkaConfig& config_;
    KafkaProducers& producers_;
    KafkaCarryOver& carry_over_;
    const Clock& clock_;
    const std::size_t pending_bytes_max_;
    const std::size_t batch_bytes_;  // the producer's
    Metrics& metrics_;
    Gauge& in_flight_;

    std::unique_ptr<KafkaProducer> producer_;
    KafkaTopics topics_;
    KafkaDelivery delivery_;
    KafkaDeadLetters letters_;
    KafkaOutage outage_;
    std::optional<KafkaTransaction> transaction_;

    KafkaReports reports_;
    std::vector<KafkaOutgoing> outgoing_;  // of the batch that is being handed over
    bool offered_in_vain_ = false;         // somebody waits for room
    std::optional<Error> fatal_;           // waits for the report that says more
    Instant fatal_at_;
    LanePositions reported_;
    std::optional<Error> error_;
};

}  // namespace pgc
