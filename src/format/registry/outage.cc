#include "format/registry/outage.h"

#include <fmt/format.h>

#include <utility>

namespace pgc {
namespace {

// What is wrong, where, and what can be done about it.
std::string reason(const RegistryOutage::Longest& longest) {
    Error error =
        longest.trouble
            ? *longest.trouble
            : retry(Error::Category::connection, "it does not answer yet").at(longest.url);
    if (error.hint.empty()) {
        error.hint = error.category == Error::Category::connection
                         ? "start the registry, or correct format.registry.url"
                         : "the registry's own log may say more";
    }
    return describe(error);
}

std::string asked_about(const std::string& subject) {
    return subject.empty() ? std::string{}
                           : fmt::format(", asked about the subject \"{}\"", subject);
}

}  // namespace

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
    const std::string because = reason(*longest);
    words_ = fmt::format("the schema registry{}: {}", asked_about(longest->subject), because);
    const bool knows_more = longest->trouble && !knew_why_;
    if (now < next_report_ && !knows_more) return;
    logger_.warning("waiting for the schema registry",
                    {{"because", because}, {"subject", longest->subject}});
    waiting_.set(1);
    reported_ = true;
    knew_why_ = longest->trouble.has_value();
    next_report_ = now + kReport_every;
}

}  // namespace pgc
