#include "observe/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

constexpr Duration kSample_every = std::chrono::seconds{1};

Duration duration_of(double value) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

std::string_view name(PipelineState state) noexcept {
    using enum PipelineState;
    switch (state) {
        case starting: return "starting";
        case connecting: return "connecting";
        case streaming: return "streaming";
        case waiting: return "waiting";
        case draining: return "draining";
        case stopped: return "stopped";
        case failed: return "failed";
    }
    return "failed";
}

std::string_view name(SinkState state) noexcept {
    using enum SinkState;
    switch (state) {
        case closed: return "closed";
        case ready: return "ready";
        case full: return "full";
        case waiting: return "waiting";
    }
    return "closed";
}

std::string_view name(WaitsOn what) noexcept {
    using enum WaitsOn;
    switch (what) {
        case nothing: return "nothing";
        case source: return "source";
        case sink: return "sink";
        case format: return "format";
        case store: return "store";
    }
    return "nothing";
}

std::string_view name(StreamState state) noexcept {
    using enum StreamState;
    switch (state) {
        case none: return "none";
        case idle: return "idle";
        case working: return "working";
        case blocked: return "blocked";
        case dead: return "dead";
    }
    return "none";
}

Status::Status(StatusAbout about, const Clock& clock, const Histogram* latency)
    : about_(std::move(about)),
      clock_(clock),
      latency_(latency),
      born_(clock.now()),
      entered_(born_),
      turned_(born_) {
    take_sample(born_);
}

void Status::enter(PipelineState state) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    if (state != state_) {
        state_ = state;
        entered_ = turned_;
        waits_on_ = WaitsOn::nothing;
        waits_for_.clear();
    }
}

void Status::waits_for(WaitsOn on, std::string_view what) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    waits_on_ = on;
    waits_for_ = what;
}

void Status::attempts(std::uint64_t failed_in_a_row) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    attempts_ = failed_in_a_row;
}

void Status::failed_with(const Error& error) {
    Error copy = error;
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    last_error_ = std::move(copy);
    last_error_at_ = clock_.wall();
}

void Status::progressed(const PipelineProgress& progress) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    progress_ = progress;
    if (turned_ - samples_.back().at >= kSample_every) take_sample(turned_);
}

void Status::stream_is(const StreamCondition& condition) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    stream_ = condition;
}

void Status::turned() {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
}

void Status::take_sample(Instant now) {
    while (!samples_.empty() && now - samples_.front().at > kLately) samples_.pop_front();
    samples_.push_back({.at = now,
                        .changes = progress_.changes,
                        .latency = latency_ ? latency_->counts() : HistogramCounts{}});
}

// Since the oldest sample of that time; or since the last, when none was taken for longer.
void Status::add_recent(StatusSnapshot& shot, Instant now) const {
    const auto recent = std::ranges::find_if(
        samples_, [&](const Sample& sample) { return now - sample.at <= kLately; });
    const Sample& from = recent == samples_.end() ? samples_.back() : *recent;
    const double elapsed_s = std::chrono::duration<double>(now - from.at).count();
    if (elapsed_s > 0 && progress_.changes > from.changes) {
        shot.changes_per_second = static_cast<double>(progress_.changes - from.changes) / elapsed_s;
    }
    if (latency_ == nullptr) return;
    const HistogramCounts stretch = latency_->counts().since(from.latency);
    if (stretch.count() > 0) {
        shot.latency = {duration_of(stretch.quantile(0.5)), duration_of(stretch.quantile(0.99))};
    }
}

StatusSnapshot Status::snapshot() const {
    StatusSnapshot shot;
    shot.about = about_;
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    shot.uptime = now - born_;
    shot.state = state_;
    shot.in_state = now - entered_;
    shot.since = {clock_.wall().unix_us -
                  std::chrono::duration_cast<std::chrono::microseconds>(shot.in_state).count()};
    shot.progress = progress_;
    const bool flowing = state_ == PipelineState::streaming || state_ == PipelineState::draining;
    if (!flowing) {
        shot.progress.sink = SinkState::closed;
        shot.progress.sink_waits_for.clear();
        shot.progress.format_waits_for.clear();
        shot.progress.lag.reset();
        if (state_ != PipelineState::waiting) shot.progress.buffer_bytes = 0;
        if (shot.progress.snapshot) shot.progress.snapshot->rows_per_second = 0;
    }
    shot.waits_on = waits_on_;
    shot.waits_for = waits_for_;
    if (waits_for_.empty() && !shot.progress.sink_waits_for.empty()) {
        shot.waits_on = WaitsOn::sink;
        shot.waits_for = shot.progress.sink_waits_for;
    } else if (waits_for_.empty() && !shot.progress.format_waits_for.empty()) {
        shot.waits_on = WaitsOn::format;
        shot.waits_for = shot.progress.format_waits_for;
    }
    if (stream_.state != StreamState::none && state_ != PipelineState::stopped &&
        state_ != PipelineState::failed) {
        shot.stream = stream_.state;
        shot.stream_for = now - stream_.since;
        if (shot.waits_for.empty()) {
            shot.waits_on = stream_.waits_on;
            shot.waits_for = stream_.waits_for;
        }
    }
    shot.attempts = attempts_;
    add_recent(shot, now);
    shot.last_error = last_error_;
    shot.last_error_at = last_error_at_;
    if (state_ == PipelineState::failed) {
        shot.not_live_because = "the pipeline has failed";
    } else if (state_ != PipelineState::stopped && now - turned_ > kSilence_max) {
        shot.not_live_because =
            fmt::format("the pipeline's loop has not run for {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(now - turned_).count());
    }
    shot.live = shot.not_live_because.empty();
    shot.ready = shot.live && state_ == PipelineState::streaming;
    return shot;
}

}  // namespace pgc
