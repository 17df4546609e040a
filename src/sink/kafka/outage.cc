#include "sink/kafka/outage.h"

#include <chrono>
#include <utility>

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
    if (at.now < next_tell_) return;
    because_ = trouble ? describe(*trouble) : "it does not confirm what we sent";
    logger_.warning("waiting for Kafka", {{"because", because_}, {"records", at.records}});
    waiting_.set(1);
    told_ = true;
    next_tell_ = at.now + kTell_every;
}

Instant KafkaOutage::next() const noexcept {
    return since_ ? next_tell_ : kNever;
}

}  // namespace pgc
