#include "observe/status.h"

#include <fmt/format.h>

#include <utility>

namespace pgc {

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

Status::Status(std::string pipeline, const Clock& clock)
    : pipeline_(std::move(pipeline)), clock_(clock), entered_(clock.now()), turned_(entered_) {}

void Status::enter(PipelineState state) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    if (state != state_) {
        state_ = state;
        entered_ = turned_;
    }
}

void Status::failed_with(const Error& error) {
    std::string text = describe(error);
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    last_error_ = std::move(text);
    last_error_at_ = clock_.wall();
}

void Status::progressed(const PipelineProgress& progress) {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
    progress_ = progress;
}

void Status::turned() {
    const std::lock_guard lock(mutex_);
    turned_ = clock_.now();
}

StatusSnapshot Status::snapshot() const {
    StatusSnapshot shot;
    shot.pipeline = pipeline_;
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    shot.state = state_;
    shot.in_state = now - entered_;
    shot.progress = progress_;
    shot.last_error = last_error_;
    shot.last_error_at = last_error_at_;
    if (state_ == PipelineState::failed) {
        shot.not_live_because = "the pipeline has failed";
    } else if (state_ != PipelineState::stopped && now - turned_ > kSilence_max) {
        shot.not_live_because =
            fmt::format("the pipeline's loop has not turned for {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(now - turned_).count());
    }
    shot.live = shot.not_live_because.empty();
    shot.ready = shot.live && state_ == PipelineState::streaming;
    return shot;
}

}  // namespace pgc
