#include "pipeline/pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

// All that are under way together.
std::optional<SnapshotBrief> brief_of(const SnapshotReport& report) {
    std::optional<SnapshotBrief> brief;
    for (const SnapshotReport::Request& request : report.requests) {
        if (is_over(request.state)) continue;
        if (!brief) brief.emplace();
        brief->tables += request.tables;
        brief->tables_done += request.tables_done;
        brief->rows += request.rows;
        brief->rows_expected += request.rows_expected;
        brief->rows_per_second += request.rows_per_second;
    }
    return brief;
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, Deps deps)
    : options_(std::move(options)),
      deps_(std::move(deps)),
      pipeline_metrics_(deps_.metrics, deps_.clock),
      supervision_(deps_.random),
      checkpoint_(deps_.clock, options_.checkpoint_interval, options_.store_every,
                  options_.store_records),
      status_line_(deps_.status, deps_.clock.now()),
      stall_watch_(deps_.log) {}

Result<void> Pipeline::run() {
    enter(State::connecting);
    while (state_ != State::stopped) {
        const Turn turn = step();
        note_progress();
        if (turn == Turn::wait && state_ != State::stopped) wait();
    }
    return outcome_;
}

Pipeline::Turn Pipeline::step() {
    // One that ends by itself may be asked to all the same.
    if (state_ == State::draining) deps_.stop.noticed();
    if (deps_.stop.at_once()) {
        deps_.log.warning("ending at once; what is not durable will be sent again");
        finish({});
        return Turn::again;
    }
    if (deps_.stop.drain() && state_ != State::draining) {
        deps_.stop.noticed();
        begin_draining();
        return Turn::again;
    }
    auto turn = act();
    if (turn) return *turn;
    fail(std::move(turn.error()));
    return Turn::again;
}

Result<Pipeline::Turn> Pipeline::act() {
    switch (state_) {
        case State::connecting: return connect();
        case State::guarding: return guard();
        case State::streaming: return stream();
        case State::backing_off: return back_off();
        case State::draining: return drain();
        case State::stopped: return Turn::again;
    }
    return Turn::again;
}

// Once at once; after that it is a failure like others: reported, counted, and with a pause.
Result<Pipeline::Turn> Pipeline::begin_anew(Error because) {
    if (began_anew_) {
        because.next = Error::Next::retry;
        return std::unexpected(std::move(because));
    }
    began_anew_ = true;
    begin_attempt();
    return Turn::again;
}

Result<Pipeline::Turn> Pipeline::stream() {
    const auto more = flow_->round();
    if (!more) return std::unexpected(more.error());
    const auto stored = checkpoint(urgency());
    if (!stored) return std::unexpected(stored.error());
    if (!progress_reported_ &&
        (flow_->batches_durable() > 0 || deps_.clock.now() - entered_ >= kHeld)) {
        supervision_.progressed();
        failures_ = 0;
        progress_reported_ = true;
        began_anew_ = false;
    }
    serve_snapshot_requests();
    // What is read but not sealed would be left out, should the seal of the end fail.
    const bool read_all = options_.snapshot == SnapshotMode::only && !flow_->snapshot_left() &&
                          !flow_->snapshot_unsealed();
    if (read_all || (options_.until && flow_->confirmable() >= options_.until)) {
        begin_draining();
        return Turn::again;
    }
    return *more ? Turn::again : Turn::wait;
}

Result<Pipeline::Turn> Pipeline::back_off() {
    if (auto kept = rescue(); !kept) return std::unexpected(std::move(kept.error()));
    // What is durable is stored first, or it would be read again. The next attempt could do
    // nothing before anyway: it asks the same store.
    const bool early = deps_.clock.now() < retry_at_;
    if (flow_ && !checkpoint_.has_stored(reached())) {
        if (!checkpoint_.saving()) return Turn::again;
        return early ? Turn::wait : wait_for_store();
    }
    if (early) return Turn::wait;
    pipeline_metrics_.retrying();
    began_anew_ = false;
    begin_attempt();
    return Turn::again;
}

// For the position to be stored, or found.
Pipeline::Turn Pipeline::wait_for_store() {
    deps_.status.waits_for(WaitsOn::store, "the stored position: " + store().where());
    return Turn::wait;
}

void Pipeline::begin_attempt() {
    flow_.reset();
    source_.reset();
    plan_.reset();
    loaded_.reset();
    enter(State::connecting);
}

// What the sink makes durable after the source has gone need not be read again.
Result<void> Pipeline::rescue() {
    if (!flow_) return {};
    if (flow_->can_settle()) {
        if (auto settled = flow_->settle(); !settled) {
            deps_.log.failure(LogLevel::warning, "the sink failed as well", settled.error());
        }
    }
    const auto stored = checkpoint(Checkpoint::Urgency::forced);
    if (!stored) return std::unexpected(stored.error());
    return {};
}

// Ended between two transactions, nothing is sent twice; a long one is not waited for.
std::optional<Pipeline::Turn> Pipeline::finish_transaction(Instant now) {
    if (!flow_->inside_transaction() || now >= finish_until_) return std::nullopt;
    const auto more = flow_->round();
    if (!more) {
        deps_.log.failure(LogLevel::warning, "the last transaction could not be finished",
                          more.error());
        flow_->stop_reading();
        finish_until_ = now;
        return std::nullopt;
    }
    return *more || !flow_->inside_transaction() ? Turn::again : Turn::wait;
}

Pipeline::Turn Pipeline::drain() {
    const Instant now = deps_.clock.now();
    // Storing goes on meanwhile: whoever asked us to end may lose patience.
    if (auto stored = checkpoint(drain_urgency()); !stored) {
        return give_up_draining(std::move(stored.error()));
    }
    if (const auto turn = finish_transaction(now)) return *turn;
    if (flow_->can_settle()) {
        if (auto settled = flow_->settle(); !settled) {
            deps_.log.failure(LogLevel::warning, "not everything could be made durable",
                              settled.error());
        }
    }
    const bool late = now >= drain_until_;
    if (flow_->can_settle() && !flow_->settled() && !late) return Turn::wait;
    if (flow_->can_settle() && flow_->waits_for_certainty() && !late) return Turn::wait;

    auto stored = checkpoint(Checkpoint::Urgency::forced);
    if (!stored) return give_up_draining(std::move(stored.error()));
    if (!checkpoint_.has_stored(reached()) && now < drain_until_ + kClose_max) {
        return checkpoint_.saving() ? Turn::wait : Turn::again;
    }
    const auto closed = flow_->close();
    if (closed && !*closed && now < drain_until_ + kClose_max) return Turn::wait;
    if (!flow_->settled()) {
        deps_.log.warning("ended before everything was durable; the rest will be sent again");
    }
    finish({});
    return Turn::again;
}

// Whoever was to end and has a successor already may end; so may one whose sink fails as it seals.
Pipeline::Turn Pipeline::give_up_draining(Error error) {
    const bool of_sink = flow_->seals() && error.next != Error::Next::stop;
    if (!overtaken_ && !of_sink) {
        finish(std::unexpected(std::move(error)));
        return Turn::again;
    }
    deps_.log.failure(LogLevel::warning, "the rest will be sent again", error);
    finish({});
    return Turn::again;
}

Result<void> Pipeline::make_sink() {
    if (sink_) return {};
    auto made = deps_.parts.make_sink();
    if (!made) return std::unexpected(std::move(made.error()));
    sink_ = std::move(*made);
    sink_is_open_ = false;
    sink_keeps_position_ = sink_->positions() != nullptr;
    return {};
}

// Once the source is ours, and not before: an instance that waits for it must not end the other.
Result<bool> Pipeline::open_sink() {
    if (sink_is_open_) return true;
    auto opened = sink_->open();
    if (!opened) {
        sink_.reset();
        return opened;
    }
    sink_is_open_ = *opened;
    if (!sink_is_open_) deps_.status.waits_for(WaitsOn::sink, "the sink: to be opened");
    return opened;
}

PositionStore& Pipeline::store() const noexcept {
    Sink* const sink = flow_ ? &flow_->sink() : sink_.get();
    PositionStore* const own = sink != nullptr ? sink->positions() : nullptr;
    return own != nullptr ? *own : deps_.store;
}

// Stores what is durable if that is due, then, never before, confirms it.
Result<bool> Pipeline::checkpoint(Checkpoint::Urgency urgency) {
    const auto moved = checkpoint_.advance(
        reached(), [this] { return flow_->snapshot_progress(); }, urgency,
        [this] { return flow_->memory(); });
    if (!moved) {
        overtaken_ = moved.error().category == Error::Category::position &&
                     moved.error().next == Error::Next::retry;
        return std::unexpected(moved.error());
    }
    if (*moved) {
        pipeline_metrics_.position_stored();
        ++positions_stored_;
        deps_.log.debug("position stored", {{"at", checkpoint_.safe()}});
        if (flow_) flow_->snapshot_stored(checkpoint_.snapshot_revision());
    }
    if (flow_) {
        if (const Lsn place = checkpoint_.confirm(urgency)) flow_->confirm(place, true);
    }
    return *moved;
}

Checkpoint::Reached Pipeline::reached() const {
    if (!flow_) return {};
    const bool seals = flow_->seals();
    const ResumePoint point = seals ? flow_->sealable() : ResumePoint{flow_->confirmable()};
    return {.confirmable = point.at,
            .within = point.within,
            .snapshot_revision = flow_->snapshot_revision(),
            .snapshot_is_due = flow_->snapshot_is_due(),
            .records = seals ? flow_->sent_records() : flow_->confirmable_records(),
            .sent = flow_->sent_records(),
            .memory_revision = flow_->memory_revision(),
            .unsealed = flow_->unsealed(),
            .all_given = flow_->all_given()};
}

void Pipeline::serve_snapshot_requests() {
    for (const SnapshotCommand& command : deps_.snapshot_requests.take()) flow_->request(command);
    const Instant now = deps_.clock.now();
    if (now < report_at_) return;
    report_at_ = now + kReport_every;
    SnapshotReport report = flow_->snapshot_report();
    brief_ = brief_of(report);
    deps_.snapshot_requests.publish(std::move(report));
}

Checkpoint::Urgency Pipeline::urgency() const {
    // The sink has all that it is to have: a slow pace of seals has nothing to wait for.
    if (options_.until && flow_->has_given(options_.until)) return Checkpoint::Urgency::forced;
    const Instant quiet_at = flow_->quiet_at();
    const bool quiet = quiet_at != kNever && deps_.clock.now() - quiet_at >= Checkpoint::kQuiet;
    return quiet ? Checkpoint::Urgency::quiet : Checkpoint::Urgency::normal;
}

// What is sealed is durable only by that, so nothing is waited for.
Checkpoint::Urgency Pipeline::drain_urgency() const {
    return flow_->seals() ? Checkpoint::Urgency::forced : Checkpoint::Urgency::normal;
}

void Pipeline::begin_draining() {
    deps_.log.info("asked to end");
    if (!flow_ || state_ == State::guarding) {
        finish({});
        return;
    }
    flow_->finish_transaction();
    finish_until_ = deps_.clock.now() + kFinish_max;
    drain_until_ = deps_.clock.now() + kDrain_max;
    enter(State::draining);
}

void Pipeline::fail(Error error) {
    const bool failed = error.next != Error::Next::restart;
    if (failed) {
        ++failures_;
        pipeline_metrics_.failed(error);
        deps_.status.failed_with(error);
    }
    const auto decision = supervision_.failed(error, deps_.clock.now());
    if (flow_) {
        const auto silence = flow_->silence();
        if (silence && !silence->answers) stall_watch_.dead(*silence, deps_.clock.now());
        flow_->stop_reading();
    }
    source_.reset();
    if (sink_ && sink_->positions() != nullptr) sink_.reset();  // it may be what failed
    // What is durable and not stored comes again, from whoever has taken over.
    if (std::exchange(overtaken_, false)) flow_.reset();
    // Nor can a sink that seals make anything durable but by what may have failed: what it had
    // comes again, and whether a seal arrived the next one finds when it has opened.
    if (flow_ && flow_->seals()) flow_.reset();
    if (decision.stop) {
        deps_.log.failure(LogLevel::error, "stopped", error);
        // What became durable meanwhile need not be sent again when it is fixed.
        if (error.category != Error::Category::storage) (void)rescue();
        finish(std::unexpected(std::move(error)));
        return;
    }
    if (decision.report && !failed) {
        deps_.log.failure(LogLevel::info, "reconnecting", error);
    } else if (decision.report) {
        const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(decision.pause);
        deps_.log.failure(LogLevel::warning, "interrupted; trying again", error,
                          {{"in_ms", pause.count()}, {"times", decision.times}});
    }
    retry_at_ = deps_.clock.now() + decision.pause;
    enter(State::backing_off);
    note_waiting(error);
}

// What the next attempt waits for, by what ended the last one.
void Pipeline::note_waiting(const Error& error) {
    if (sink_keeps_position_ && error.category == Error::Category::storage) {
        deps_.status.waits_for(WaitsOn::sink, "the sink's disk: the next attempt");
    } else if (is_of_store(error)) {
        deps_.status.waits_for(WaitsOn::store, sink_keeps_position_
                                                   ? store().where() + ": the next attempt"
                                                   : "the stored position: the next attempt");
    } else if (error.category == Error::Category::sink) {
        deps_.status.waits_for(WaitsOn::sink, "the sink: the next attempt");
    } else {
        deps_.status.waits_for(WaitsOn::source, "PostgreSQL: the next attempt");
    }
}

// A store says where it is; a disk is nobody else's, unless the sink has one.
bool Pipeline::is_of_store(const Error& error) const {
    return error.category == Error::Category::storage ||
           error.category == Error::Category::position || error.where.contains(store().where());
}

void Pipeline::finish(Result<void> outcome) {
    outcome_ = std::move(outcome);
    flow_.reset();
    source_.reset();
    sink_.reset();
    enter(State::stopped);
    if (outcome_) deps_.log.info("ended", {{"position", checkpoint_.safe()}});
}

void Pipeline::enter(State state) {
    state_ = state;
    entered_ = deps_.clock.now();
    pipeline_metrics_.streaming(state == State::streaming);
    switch (state) {
        case State::connecting: deps_.status.enter(PipelineState::connecting); break;
        case State::guarding: break;
        case State::streaming: deps_.status.enter(PipelineState::streaming); break;
        case State::backing_off: deps_.status.enter(PipelineState::waiting); break;
        case State::draining: deps_.status.enter(PipelineState::draining); break;
        case State::stopped:
            deps_.status.enter(outcome_ ? PipelineState::stopped : PipelineState::failed);
            break;
    }
}

void Pipeline::note_progress() {
    if (flow_) {
        PipelineProgress progress = flow_->progress(checkpoint_.safe());
        if (state_ == State::streaming) progress.snapshot = brief_;
        deps_.status.progressed(progress);
    }
    watch_for_stalls();
    const bool flows = state_ == State::streaming || state_ == State::draining;
    const std::uint64_t attempts = failures_ + (flows ? 0 : store().attempts());
    if (attempts != attempts_reported_) {
        deps_.status.attempts(attempts);
        attempts_reported_ = attempts;
    } else if (!flow_) {
        deps_.status.turned();
    }
    const Instant now = deps_.clock.now();
    if (status_line_.due(now)) status_line_.write(deps_.log, now);
}

void Pipeline::watch_for_stalls() {
    StallWatch::Seen seen;
    if (flow_ && (state_ == State::streaming || state_ == State::draining)) {
        seen = flow_->seen();
        seen.moves = progress_reported_;
        if (checkpoint_.saving()) {
            seen.obstacles.add(flow_->seals() ? WaitsOn::sink : WaitsOn::store, positions_stored_);
        }
    }
    stall_watch_.look(seen, [this](WaitsOn on) { return words_of(on); }, deps_.clock.now());
    deps_.status.stream_is(stall_watch_.condition());
}

std::string Pipeline::words_of(WaitsOn on) const {
    switch (on) {
        case WaitsOn::nothing: break;
        case WaitsOn::source: return "PostgreSQL: whether the standby is still on its timeline";
        case WaitsOn::sink: {
            std::string words = flow_->sink().waits_for();
            return words.empty() ? "the sink: it confirms nothing" : std::move(words);
        }
        case WaitsOn::format: {
            std::string words = flow_->format_waits_for();
            return words.empty() ? "the format: it can't write the changes yet" : std::move(words);
        }
        case WaitsOn::store: return "the stored position: " + store().where();
    }
    return {};
}

void Pipeline::wait() {
    wants_.clear();
    wants_.readable(deps_.stop.wake_fd());
    wants_.until(status_line_.next());
    if (source_) source_->wants(wants_, true);
    if (sink_ && state_ == State::guarding && !sink_is_open_) sink_->wants(wants_);
    if (flow_) flow_->wants(wants_);
    if (state_ == State::streaming) {
        wants_.until(deps_.clock.now() + options_.poll_interval);
        checkpoint_.wants(wants_, reached(), urgency());
        wants_.readable(deps_.snapshot_requests.wake_fd());
        if (urgency() == Checkpoint::Urgency::normal &&
            flow_->confirmable() > checkpoint_.confirmed() && flow_->quiet_at() != kNever) {
            wants_.until(flow_->quiet_at() + Checkpoint::kQuiet);
        }
    } else {
        store().wants(wants_);
    }
    if (state_ == State::backing_off && deps_.clock.now() < retry_at_) wants_.until(retry_at_);
    if (state_ == State::draining) {
        checkpoint_.wants(wants_, reached(), drain_urgency());
        const Instant now = deps_.clock.now();
        if (now < finish_until_) wants_.until(finish_until_);
        wants_.until(now < drain_until_ ? drain_until_ : drain_until_ + kClose_max);
    }
    deps_.waiter.wait(wants_);
}

}  // namespace pgc
