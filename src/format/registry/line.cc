#include "format/registry/line.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pgc {

RegistryLine::RegistryLine(Deps deps)
    : config_(deps.config),
      http_(deps.http),
      clock_(deps.clock),
      metrics_(deps.metrics),
      logger_(deps.logger),
      random_(deps.seed),
      outage_(std::move(deps.logger), deps.metrics) {
    assert(!config_.urls.empty());
}

RegistryLine::~RegistryLine() {
    while (!pending_.empty()) drop(pending_.begin()->first);
}

RegistryLine::Ticket RegistryLine::ask(RegistryRequest request) {
    const Instant now = clock_.now();
    pending_.emplace(++last_ticket_,
                     Pending{.request = std::move(request), .asked = now, .due = now, .url = url_});
    return last_ticket_;
}

std::optional<RegistryAnswer> RegistryLine::take(Ticket ticket) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end() || !found->second.answer) return std::nullopt;
    auto answer = std::move(found->second.answer);
    pending_.erase(found);
    return answer;
}

void RegistryLine::drop(Ticket ticket) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    if (found->second.in_flight) http_.give_up(*found->second.in_flight);
    pending_.erase(found);
}

void RegistryLine::act() {
    for (auto& one : http_.poll()) {
        const auto found = std::ranges::find_if(
            pending_, [&](const auto& each) { return each.second.in_flight == one.id; });
        if (found == pending_.end()) continue;
        found->second.in_flight.reset();
        receive(found->second, one.answer);
    }
    send_due();
    watch();
}

void RegistryLine::send_due() {
    const Instant now = clock_.now();
    for (auto& [ticket, pending] : pending_) {
        if (http_.full()) return;
        // More than once where an address can't even be asked.
        while (!pending.in_flight && !pending.answer && pending.due <= now) {
            auto id = send(pending);
            if (id) {
                pending.in_flight = *id;
            } else {
                failed(pending, std::move(id.error()));
            }
        }
    }
}

Result<RegistryHttp::Id> RegistryLine::send(const Pending& pending) {
    HttpCall call = http_call(pending.request, config_.urls[pending.url]);
    if (auto added = add_credentials(call, config_); !added) {
        return std::unexpected(std::move(added.error()));
    }
    return http_.begin(std::move(call));
}

void RegistryLine::receive(Pending& pending, const Result<HttpAnswer>& answer) {
    if (!answer) return failed(pending, answer.error());
    RegistryAnswer read = read_answer(pending.request, *answer, config_.urls[pending.url]);
    if (read.is == RegistryAnswer::Is::failed) return failed(pending, std::move(read.error));
    metrics_.counter(Metric::registry_requests_total, {name(read.is)}).add();
    url_ = pending.url;
    pending.answer = std::move(read);
}

void RegistryLine::failed(Pending& pending, Error error) {
    metrics_.counter(Metric::registry_requests_total, {name(RegistryAnswer::Is::failed)}).add();
    logger_.failure(LogLevel::debug, "a request to the schema registry failed", error);
    // Who does not answer as a registry does may do so later: its proxy is being restarted.
    const bool hopeless =
        error.next == Error::Next::stop && error.category != Error::Category::protocol;
    pending.hopeless = pending.hopeless && hopeless;
    pending.url = (pending.url + 1) % config_.urls.size();
    if (++pending.failed_here < config_.urls.size()) {
        pending.trouble = std::move(error);
        return;
    }
    if (pending.hopeless) {
        pending.answer =
            RegistryAnswer{.is = RegistryAnswer::Is::denied, .error = std::move(error)};
        return;
    }
    pending.trouble = std::move(error);
    pending.failed_here = 0;
    pending.hopeless = true;
    pending.due = clock_.now() + pause(++pending.rounds);
}

Duration RegistryLine::pause(std::uint64_t rounds) {
    Duration whole = config_.backoff;
    for (std::uint64_t i = 1; i < rounds && whole < config_.backoff_max; ++i) whole *= 2;
    const auto half = static_cast<std::uint64_t>(std::min(whole, config_.backoff_max).count() / 2);
    return Duration{static_cast<Duration::rep>(half + random_.below(half + 1))};
}

void RegistryLine::watch() {
    std::optional<RegistryOutage::Longest> longest;
    for (const auto& [ticket, pending] : pending_) {
        if (pending.answer || (longest && longest->since <= pending.asked)) continue;
        longest = {.since = pending.asked,
                   .url = config_.urls[pending.url],
                   .subject = pending.request.subject,
                   .trouble = pending.trouble};
    }
    outage_.look(clock_.now(), longest);
}

void RegistryLine::wants(Wants& wants) const {
    http_.wants(wants);
    const bool full = http_.full();
    for (const auto& [ticket, pending] : pending_) {
        if (!pending.in_flight && !pending.answer && !full) wants.until(pending.due);
    }
    wants.until(outage_.next());
}

}  // namespace pgc
