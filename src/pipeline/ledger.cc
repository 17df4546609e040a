#include "pipeline/ledger.h"

#include <algorithm>
#include <string>
#include <utility>

namespace pgc {
namespace {

Error out_of_order(std::string what, const Position& got, const Position& before) {
    return stop(Error::Category::protocol, std::move(what))
        .at(to_string(got) + " after " + to_string(before));
}

Error broken_rule(std::string what, std::string where) {
    return stop(Error::Category::internal, std::move(what))
        .at(std::move(where))
        .with_hint("report this with the log: it is a bug of pg-capture, nothing is lost");
}

}  // namespace

Result<void> Ledger::push(const InFlightBatch& batch) {
    Progress& progress = lanes_[batch.lane];
    if (batch.end <= progress.last_end) {
        return std::unexpected(out_of_order("the source sent a transaction out of order", batch.end,
                                            progress.last_end));
    }
    if (batch.resume_at && batch.resume_at < progress.last_resume) {
        return std::unexpected(out_of_order("the end of a transaction lies before the one before",
                                            Position{batch.resume_at, 0},
                                            Position{progress.last_resume, 0}));
    }
    progress.last_end = batch.end;
    if (batch.resume_at) progress.last_resume = batch.resume_at;
    if (batch.lane == kStreamLane) {
        const bool whole = batch.end.ordinal == Position::kWhole;
        sealable_ =
            std::max(sealable_, ResumePoint{.at = std::max(progress.last_resume, sealable_.at),
                                            .within = whole ? Position{} : batch.end});
    }

    if (batch.records > 0) {
        progress.last_shown = batch.end;
        ++pending_;
        if (batch.lane == kStreamLane) sent_ += batch.records;
        progress.waiting.push_back(batch);
        return {};
    }
    if (!progress.waiting.empty() && progress.waiting.back().records == 0) {
        // However many of these come while the sink stands still, they take one place.
        InFlightBatch& last = progress.waiting.back();
        last.end = batch.end;
        if (batch.resume_at) last.resume_at = batch.resume_at;
        return {};
    }
    progress.waiting.push_back(batch);
    if (progress.waiting.size() == 1) complete_front(progress);
    return {};
}

Result<std::span<const InFlightBatch>> Ledger::durable(Lane lane, Position position) {
    done_.clear();
    Progress& progress = lanes_[lane];
    if (position < progress.durable) {
        return std::unexpected(
            broken_rule("the sink took back what it had confirmed",
                        to_string(position) + " after " + to_string(progress.durable)));
    }
    if (position > progress.last_shown) {
        return std::unexpected(
            broken_rule("the sink confirmed what it was not given",
                        to_string(position) + " after " + to_string(progress.last_shown)));
    }
    progress.durable = position;
    while (!progress.waiting.empty() &&
           (progress.waiting.front().records == 0 || progress.waiting.front().end <= position)) {
        if (progress.waiting.front().records > 0) done_.push_back(progress.waiting.front());
        complete_front(progress);
    }
    return std::span<const InFlightBatch>{done_};
}

void Ledger::complete_front(Progress& progress) {
    const InFlightBatch& batch = progress.waiting.front();
    progress.records += batch.records;
    progress.complete = batch.end;
    if (batch.lane == kStreamLane && batch.resume_at) {
        confirmable_ = std::max(confirmable_, batch.resume_at);
        records_ = progress.records;
    }
    if (batch.records > 0) --pending_;
    progress.waiting.pop_front();
}

Result<void> Ledger::idle(Lsn lsn) {
    if (!settled()) {
        return std::unexpected(
            broken_rule("an idle position was offered while changes wait", to_string(lsn)));
    }
    confirmable_ = std::max(confirmable_, lsn);
    // The server may say so before it sends the transaction that is sealed in part.
    const Position within = sealable_.within.commit >= lsn ? sealable_.within : Position{};
    sealable_ = std::max(sealable_, ResumePoint{.at = lsn, .within = within});
    return {};
}

bool Ledger::settled() const noexcept {
    if (pending_ > 0) return false;
    const auto stream = lanes_.find(kStreamLane);
    if (stream == lanes_.end()) return true;
    const Position& end = stream->second.last_end;
    return end == Position{} || end.ordinal == Position::kWhole;
}

Position Ledger::complete(Lane lane) const noexcept {
    const auto at = lanes_.find(lane);
    return at == lanes_.end() ? Position{} : at->second.complete;
}

// A batch without records never waits alone, nor at the front.
bool Ledger::pending(Lane lane) const noexcept {
    const auto at = lanes_.find(lane);
    return at != lanes_.end() && !at->second.waiting.empty();
}

WallTime Ledger::newest_pending() const noexcept {
    const auto stream = lanes_.find(kStreamLane);
    if (stream == lanes_.end()) return {};
    const auto& waiting = stream->second.waiting;
    const auto newest = std::find_if(waiting.rbegin(), waiting.rend(),
                                     [](const InFlightBatch& batch) { return batch.records > 0; });
    return newest == waiting.rend() ? WallTime{} : newest->newest_commit;
}

}  // namespace pgc
