#include "sink/kafka/outage.h"

#include <chrono>
#include <utility>

#include "sink/kafka/complaints.h"

namespace pgc {

KafkaOutage::KafkaOutage(Logger logger, Metrics& metrics)
    : logger_(std::move(logger)), waiting_(metrics.gauge(Metric::kafka_waiting)) {
    waiting_.set(0);
}

void KafkaOutage::look(const Now& at, const std::optional<Error>& trouble) {
    if (!at.waiting || at.progressed) {
        if (told_) {
            const auto since = at.now - *since_;
            logger_.info("Kafka answers again",
                         {{"waited_ms",
                           std::chrono::duration_cast<std::chrono::milliseconds>(since).count()}});
            waiting_.set(0);
            told_ = false;
            because_.clear();
        }
        since_.reset();
        if (!at.waiting) return;
    }
    if (!since_) {
        since_ = at.now;
        next_tell_ = at.now + kPatience;
    }
    const int rank = trouble ? kafka_cause_rank(*trouble) : 0;
    const bool knows_more = told_ && rank > told_rank_;
    if (at.now < next_tell_ && !knows_more) return;
    because_ = trouble ? describe(*trouble) : "it does not confirm what we sent";
    logger_.warning("waiting for Kafka", {{"because", because_}, {"records", at.records}});
    waiting_.set(1);
    told_ = true;
    told_rank_ = rank;
    next_tell_ = at.now + kTell_every;
}

Instant KafkaOutage::next() const noexcept {
    return since_ ? next_tell_ : kNever;
}

}  // namespace pgc
