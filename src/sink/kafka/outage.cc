#include "sink/kafka/outage.h"

#include <chrono>
#include <utility>

#include "kafka/broker_errors.h"

namespace pgc {

KafkaOutage::KafkaOutage(Logger logger, Metrics& metrics)
    : logger_(std::move(logger)), waiting_(metrics.gauge(Metric::kafka_waiting)) {
    waiting_.set(0);
}

void KafkaOutage::look(const Now& at, const std::optional<Error>& trouble) {
    if (!at.waiting || at.progressed) {
        if (reported_) {
            const auto since = at.now - *since_;
            logger_.info("Kafka answers again",
                         {{"waited_ms",
                           std::chrono::duration_cast<std::chrono::milliseconds>(since).count()}});
            waiting_.set(0);
            reported_ = false;
            because_.clear();
        }
        since_.reset();
        if (!at.waiting) return;
    }
    if (!since_) {
        since_ = at.now;
        next_report_ = at.now + kPatience;
    }
    const int rank = trouble ? kafka_cause_rank(*trouble) : 0;
    const bool knows_more = reported_ && rank > reported_rank_;
    if (at.now < next_report_ && !knows_more) return;
    because_ = trouble ? describe(*trouble) : "it does not confirm what we sent";
    logger_.warning("waiting for Kafka", {{"because", because_}, {"records", at.records}});
    waiting_.set(1);
    reported_ = true;
    reported_rank_ = rank;
    next_report_ = at.now + kReport_every;
}

Instant KafkaOutage::next() const noexcept {
    return since_ ? next_report_ : kNever;
}

}  // namespace pgc
