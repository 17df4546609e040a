#include "format/registry/outage.h"

#include <utility>

namespace pgc {

RegistryOutage::RegistryOutage(Logger logger, Metrics& metrics)
    : logger_(std::move(logger)), waiting_(metrics.gauge(Metric::registry_waiting)) {
    waiting_.set(0);
}

void RegistryOutage::over(Instant now) {
    if (reported_) {
        const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - since_);
        logger_.info("the schema registry answers again", {{"waited_ms", waited.count()}});
        waiting_.set(0);
    }
    next_report_ = kNever;
    reported_ = knew_why_ = false;
    words_.clear();
}

void RegistryOutage::look(Instant now, const std::optional<Longest>& longest) {
    if (!longest || now - longest->since < kPatience) {
        over(now);
        if (longest) next_report_ = longest->since + kPatience;
        return;
    }
    if (!reported_) next_report_ = now;
    since_ = longest->since;
    const std::string because =
        longest->trouble ? describe(*longest->trouble) : "it does not answer";
    words_ = "the schema registry: " + because;
    const bool knows_more = longest->trouble && !knew_why_;
    if (now < next_report_ && !knows_more) return;
    logger_.warning("waiting for the schema registry", {{"because", because}});
    waiting_.set(1);
    reported_ = true;
    knew_why_ = longest->trouble.has_value();
    next_report_ = now + kReport_every;
}

}  // namespace pgc
