#include "sink/kafka/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "kafka/errors.h"

namespace pgc {
namespace {

bool gone(KafkaCode code) noexcept {
    return code == KafkaCode::unknown_topic || code == KafkaCode::local_unknown_topic ||
           code == KafkaCode::local_unknown_partition;
}

// The next sink looks the topic up again, and knows whether it may create it.
Error not_written(KafkaCode code) {
    Error error = kafka_error(static_cast<rd_kafka_resp_err_t>(code), "a record was not written");
    if (gone(code)) error.next = Error::Next::retry;
    return error;
}

std::string name_of(const KafkaTopics::Topic* topic) {
    return topic == nullptr ? std::string{} : topic->name;
}

Error smaller_batches(std::size_t bytes) {
    return restart_with(
        Error::Category::sink,
        fmt::format("a topic takes at most {} bytes in a batch; continuing with smaller ones",
                    bytes));
}

Error too_long(Duration most) {
    return stop(Error::Category::sink,
                fmt::format("a transaction of PostgreSQL could not be written within {} s, the "
                            "most a transaction of Kafka takes",
                            std::chrono::duration_cast<std::chrono::seconds>(most).count()))
        .with_hint(
            "set consistency to record: it is then written in parts, each change once; or "
            "change less in one transaction");
}

Error late() {
    return retry(Error::Category::sink,
                 "a transaction could not be written in the time that a transaction of Kafka may "
                 "take; it begins again");
}

}  // namespace

Result<std::unique_ptr<KafkaSink>> KafkaSink::make(Deps deps) {
    const std::size_t batch_bytes = std::min(deps.config.batch_bytes_max.value_or(kBatch_bytes),
                                             deps.carry_over.batch_bytes_max());
    auto producer = deps.producers.make(batch_bytes);
    if (!producer) return std::unexpected(std::move(producer.error()));
    return std::unique_ptr<KafkaSink>{
        new KafkaSink{std::move(deps), std::move(*producer), batch_bytes}};
}

KafkaSink::KafkaSink(Deps deps, std::unique_ptr<KafkaProducer> producer, std::size_t batch_bytes)
    : config_(deps.config),
      producers_(deps.producers),
      carry_over_(deps.carry_over),
      clock_(deps.clock),
      pending_bytes_max_(deps.pending_bytes_max),
      batch_bytes_(batch_bytes),
      metrics_(deps.metrics),
      in_flight_(deps.metrics.gauge(Metric::kafka_records_in_flight)),
      producer_(std::move(producer)),
      topics_({.config = deps.config,
               .producer = *producer_,
               .clock = deps.clock,
               .metrics = deps.metrics,
               .logger = deps.logger}),
      letters_({.producer = *producer_,
                .topics = topics_,
                .carry_over = deps.carry_over,
                .metrics = deps.metrics,
                .logger = deps.logger}),
      outage_(deps.logger, deps.metrics) {
    if (deps.positions == nullptr) return;
    transaction_.emplace(KafkaTransaction::Deps{.producer = *producer_,
                                                .delivery = delivery_,
                                                .clock = clock_,
                                                .topic = config_.state_topic,
                                                .key = config_.pipeline,
                                                .positions = std::move(deps.positions),
                                                .first_look = std::move(deps.first_look)},
                         *this);
}

KafkaSink::~KafkaSink() {
    in_flight_.set(0);
    if (producer_) producers_.retire(std::move(producer_), delivery_.give_up());
}

// Its producer ends the transaction that is open: its records were in vain, and nobody who reads
// committed ones has to wait for them.
void KafkaSink::give_up() {
    if (!transaction_ || !producer_) return;
    fail(retry(Error::Category::sink, "what was written was given up"));
    producers_.retire(std::move(producer_), delivery_.give_up());
}

Result<bool> KafkaSink::open() {
    if (!transaction_) return true;
    const bool open = transaction_->open();
    turn();
    if (error_) return std::unexpected(*error_);
    return open || transaction_->open();
}

Result<void> KafkaSink::seal(const StoredPosition& position) {
    if (!transaction_) return cannot_seal();
    if (!error_) {
        if (auto begun = transaction_->seal(position); !begun) fail(std::move(begun.error()));
    }
    if (error_) return std::unexpected(*error_);
    return {};
}

Result<Sink::Offer> KafkaSink::offer(RecordBatchPtr& batch) {
    turn();
    if (error_) return std::unexpected(*error_);
    offered_in_vain_ = true;
    if (transaction_ && !transaction_->takes()) return Offer::full;
    const std::size_t bytes = bytes_of(*batch, batch->records.size());
    const bool too_much = !delivery_.empty() && delivery_.bytes() + bytes > pending_bytes_max_;
    if (fatal_ || delivery_.unfinished() != nullptr || too_much) return Offer::full;
    const auto ways = find_ways(*batch);
    if (!ways) {
        fail(ways.error());
        return std::unexpected(*error_);
    }
    judge_batch_size();
    if (error_) return std::unexpected(*error_);
    if (!*ways || topics_.message_bytes_max() < batch_bytes_) return Offer::full;
    // A TRUNCATE is as many records as its topic has partitions; so many are lent at once.
    const std::size_t lent =
        std::min(outgoing_.size(), std::max(batch->records.size(), lent_max()));
    const std::size_t held = bytes_of(*batch, lent);
    if (!delivery_.empty() && delivery_.bytes() + held > pending_bytes_max_) return Offer::full;
    if (transaction_) {
        if (auto begun = transaction_->begin(); !begun) {
            fail(std::move(begun.error()));
            return std::unexpected(*error_);
        }
    }
    offered_in_vain_ = false;
    hand_over(delivery_.accept(std::move(batch), outgoing_.size(), held));
    return Offer::accepted;
}

Result<Position> KafkaSink::durable(Lane lane) {
    turn();
    const Position now = transaction_ ? transaction_->durable(lane) : delivery_.durable(lane);
    if (error_ && now == reported_.of(lane)) return std::unexpected(*error_);
    reported_.raise(lane, now);
    return now;
}

void KafkaSink::wants(Wants& wants) const {
    if (error_) return;
    if (!busy() && !fatal_ && !offered_in_vain_) return;
    wants.readable(producer_->wake_fd());
    topics_.wants(wants);
    wants.until(outage_.next());
    if (fatal_) wants.until(fatal_at_ + kReport_of_fatal_max);
}

std::size_t KafkaSink::bytes_per_record() const noexcept {
    return config_.headers ? kRecord_bytes_with_headers : kRecord_bytes;
}

// As many as the bytes that may be pending are for: a batch with more of them (TRUNCATEs of topics
// with many partitions) is handed over as these are reported.
std::size_t KafkaSink::lent_max() const noexcept {
    return std::max<std::size_t>(pending_bytes_max_ / bytes_per_record(), 1);
}

std::string KafkaSink::waits_for() const {
    return outage_.is_long() ? "Kafka: " + outage_.because() : std::string{};
}

std::size_t KafkaSink::bytes_of(const RecordBatch& batch, std::size_t records) const noexcept {
    return batch.footprint(records, bytes_per_record());
}

void KafkaSink::fail(Error error) {
    if (!error_) error_ = std::move(error);
}

void KafkaSink::turn() {
    if (error_) return;
    take_reports();
    if (error_) return;
    topics_.ask();
    const auto sent =
        letters_.send([this](KafkaTag tag) { delivery_.handed_kept(delivery_.of(tag.batch)); });
    if (!sent) return fail(sent.error());
    if (auto* pending = delivery_.unfinished()) hand_over(*pending);
    if (transaction_ && !error_) step_transaction();
    in_flight_.set(static_cast<double>(delivery_.unreported()));
}

// One of the source that is to be committed as a whole may take too long, and would each time.
void KafkaSink::step_transaction() {
    if (auto done = transaction_->step(); !done) return fail(std::move(done.error()));
    if (outage_.is_long()) transaction_->interrupted();
    if (!config_.whole_transactions) return;
    if (transaction_->open_for() < config_.transaction_max()) return;
    // Once it may have been anything: a process that stood still.
    const bool again = carry_over_.late();
    fail(again && !transaction_->was_interrupted() ? too_long(config_.transaction_max()) : late());
}

void KafkaSink::take_reports() {
    reports_.clear();
    producer_->collect(reports_);
    for (const auto& report : reports_.written) delivery_.written(report);
    for (const auto& report : reports_.failed) take_failure(report);
    delivery_.advance();
    if (reports_.transaction && transaction_) take_transaction(*reports_.transaction);
    for (const auto& answer : reports_.answers) {
        if (auto taken = topics_.answered(answer); !taken) fail(std::move(taken.error()));
    }
    judge_fatal();
    const bool answered = std::ranges::any_of(reports_.answers, [](const auto& answer) {
        return answer.code != KafkaCode::local_timed_out &&
               answer.code != KafkaCode::local_transport;
    });
    look_for_outage(answered || !reports_.written.empty() || reports_.transaction);
}

void KafkaSink::take_transaction(const KafkaReports::Transaction& report) {
    const bool done = report.step == KafkaReports::Transaction::Step::committed && !report.failed;
    if (done) carry_over_.committed();
    transaction_->take(report);
}

void KafkaSink::take_failure(const KafkaReports::Failed& report) {
    const Record& record = delivery_.failed(report);
    const auto code = static_cast<rd_kafka_resp_err_t>(report.code);
    metrics_.counter(Metric::kafka_delivery_failures_total, {kafka_error_name(code)}).add();
    if (report.code == KafkaCode::message_too_large) return take_too_large(report, record);
    const std::string topic = name_of(topics_.of_handle(report.topic));
    Error error = not_written(report.code);
    fail(std::move(error).at(
        fmt::format("{}, partition {}", kafka_record_text(record, topic), report.partition)));
}

// A record larger than a batch travels alone, so it is the one that was refused; of others
// nobody knows which. They go on in smaller batches, until the large one is alone.
void KafkaSink::take_too_large(const KafkaReports::Failed& report, const Record& record) {
    const KafkaTopics::Topic* topic = topics_.of_handle(report.topic);
    if (topic == nullptr) return fail(not_written(report.code));
    if (topic->use == KafkaTopics::Use::dead_letters)
        return fail(kafka_too_large_for_dead_letters(record, topic->name));
    const bool alone = record.key.size() + record.value.size() > batch_bytes_;
    if (!alone) {
        carry_over_.batch_bytes_at_most(batch_bytes_ / 2);
        return fail(smaller_batches(batch_bytes_ / 2));
    }
    if (config_.oversize == KafkaOversize::fail) return fail(kafka_too_large(record, *topic));
    if (transaction_) {
        // Its transaction can't be committed any more: the next one puts it aside at once.
        carry_over_.refused(record);
        return fail(restart_with(Error::Category::sink,
                                 "a record is too large for its topic; sending it again, to the "
                                 "dead letters, with what was sent since the last commit"));
    }
    put_aside(record, topic->name, report.tag);
}

// One dead letter, whatever number of partitions has refused it.
void KafkaSink::put_aside(const Record& record, std::string_view topic, KafkaTag tag) {
    KafkaDelivery::Pending& pending = delivery_.of(tag.batch);
    if (!delivery_.keeps(pending, record)) return delivery_.covered(pending);
    letters_.add(record, topic, tag);
}

// What a fatal error is about comes as a report right after it, and may be for good.
void KafkaSink::judge_fatal() {
    if (reports_.fatal && !fatal_) {
        fatal_ = reports_.fatal;
        fatal_at_ = clock_.now();
    }
    if (fatal_ && clock_.now() >= fatal_at_ + kReport_of_fatal_max) fail(*fatal_);
}

// Batches that a topic would refuse are not sent: once nothing is on its way any more, and so
// nothing will have to be sent twice, another producer takes over.
void KafkaSink::judge_batch_size() {
    if (topics_.message_bytes_max() >= batch_bytes_ || !delivery_.empty()) return;
    carry_over_.batch_bytes_at_most(topics_.message_bytes_max());
    fail(smaller_batches(topics_.message_bytes_max()));
}

void KafkaSink::look_for_outage(bool progressed) {
    outage_.look({.now = clock_.now(),
                  .waiting = busy(),
                  .progressed = progressed,
                  .records = delivery_.unreported()},
                 reports_.trouble);
    const bool refused =
        reports_.trouble && (reports_.trouble->category == Error::Category::authentication ||
                             reports_.trouble->next == Error::Next::stop);
    // Another producer reads the secrets again.
    if (outage_.is_long() && refused) fail(*reports_.trouble);
}

Result<bool> KafkaSink::find_ways(const RecordBatch& batch) {
    outgoing_.clear();
    outgoing_.reserve(batch.records.size());
    KafkaTag tag{.batch = delivery_.next_number()};
    bool all = true;
    for (const Record& record : batch.records) {
        const auto route = topics_.route(record);
        if (!route) return std::unexpected(route.error());
        if (*route == nullptr) {
            all = false;
        } else if (all) {
            add_ways(record, tag, **route);
        }
        ++tag.record;
    }
    if (!all) topics_.ask();
    return all;
}

void KafkaSink::add_ways(const Record& record, KafkaTag tag, KafkaTopics::Route& route) {
    KafkaTopic* const topic = route.topic->handle;
    if (!record.to_all_partitions) [[likely]] {
        outgoing_.push_back({.topic = topic,
                             .partition = route.partitioner(record),
                             .record = &record,
                             .tag = tag});
        return;
    }
    for (std::int32_t partition = 0; partition < route.topic->partitions; ++partition) {
        outgoing_.push_back(
            {.topic = topic, .partition = partition, .record = &record, .tag = tag});
    }
}

void KafkaSink::hand_over(KafkaDelivery::Pending& pending) {
    while (!pending.all_handed()) {
        const std::size_t lent = delivery_.unreported();
        if (lent >= lent_max()) return;
        const std::size_t count = std::min(outgoing_.size() - pending.handed(), lent_max() - lent);
        if (!carry_over_.refused_any()) {
            if (!give(pending, count)) return;
            continue;
        }
        const std::span rest = std::span{outgoing_}.subspan(pending.handed(), count);
        const auto known = std::ranges::find_if(rest, [this](const KafkaOutgoing& out) {
            return config_.oversize == KafkaOversize::dead_letter &&
                   carry_over_.was_refused(*out.record);
        });
        const auto before = static_cast<std::size_t>(known - rest.begin());
        if (before == 0) {
            keep(pending);
        } else if (!give(pending, before)) {
            return;
        }
    }
}

bool KafkaSink::give(KafkaDelivery::Pending& pending, std::size_t records) {
    const std::span part = std::span{outgoing_}.subspan(pending.handed(), records);
    const auto taken = producer_->produce(part, config_.headers);
    delivery_.handed(pending, taken.records);
    if (taken.refused != KafkaCode::none) refused(pending, taken.refused);
    return taken.refused == KafkaCode::none ||
           (taken.refused == KafkaCode::message_too_large && !error_);
}

// The next record is not for its topic but for the dead letters.
void KafkaSink::keep(KafkaDelivery::Pending& pending) {
    const KafkaOutgoing& out = outgoing_[pending.handed()];
    delivery_.kept(pending);
    put_aside(*out.record, name_of(topics_.of_handle(out.topic)), out.tag);
}

// librdkafka did not take the next record.
void KafkaSink::refused(KafkaDelivery::Pending& pending, KafkaCode code) {
    if (code == KafkaCode::local_queue_full || code == KafkaCode::local_fatal) return;
    const KafkaOutgoing& out = outgoing_[pending.handed()];
    const KafkaTopics::Topic* topic = topics_.of_handle(out.topic);
    if (code == KafkaCode::message_too_large) {
        if (config_.oversize == KafkaOversize::dead_letter) return keep(pending);
        return fail(kafka_too_large(*out.record, *topic));
    }
    fail(not_written(code).at(kafka_record_text(*out.record, topic->name)));
}

}  // namespace pgc
