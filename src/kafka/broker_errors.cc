#include "kafka/broker_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgc {

int kafka_cause_rank(const Error& error) noexcept {
    if (error.next == Error::Next::stop || error.category == Error::Category::authentication ||
        error.category == Error::Category::permission) {
        return 2;
    }
    return error.hint.empty() ? 0 : 1;
}

void KafkaBrokerErrors::add(std::string_view broker, Error error, Instant now) {
    std::erase_if(by_broker_, [&](const auto& entry) { return now - entry.second.last > kLasts; });
    const auto found = by_broker_.find(broker);
    if (found == by_broker_.end() && by_broker_.size() >= kBrokers_max) return;
    if (!broker.empty()) error.where = fmt::format("broker {}", broker);
    if (found == by_broker_.end()) {
        by_broker_.emplace(broker, Entry{.error = std::move(error), .since = now, .last = now});
    } else if (kafka_cause_rank(error) >= kafka_cause_rank(found->second.error)) {
        found->second.error = std::move(error);
        found->second.last = now;
    }
}

void KafkaBrokerErrors::all_down(Error error, Instant now) {
    all_down_ = {
        .error = std::move(error), .since = all_down_ ? all_down_->since : now, .last = now};
}

void KafkaBrokerErrors::clear() noexcept {
    by_broker_.clear();
    all_down_.reset();
}

std::optional<KafkaBrokerErrors::Worst> KafkaBrokerErrors::worst(Instant now) const {
    const bool all_down = all_down_ && now - all_down_->last <= kLasts;
    const Entry* worst = nullptr;
    Instant since = all_down ? all_down_->since : kNever;
    for (const auto& [broker, entry] : by_broker_) {
        if (now - entry.last > kLasts) continue;
        since = std::min(since, entry.since);
        if (worst != nullptr) {
            const int more = kafka_cause_rank(entry.error) - kafka_cause_rank(worst->error);
            if (more < 0 || (more == 0 && entry.last <= worst->last)) continue;
        }
        worst = &entry;
    }
    if (worst == nullptr && all_down) worst = &*all_down_;
    if (worst == nullptr) return std::nullopt;
    return Worst{.error = worst->error, .since = since, .all_brokers = all_down};
}

}  // namespace pgc
