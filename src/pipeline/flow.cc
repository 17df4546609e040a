#include "pipeline/flow.h"

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

std::size_t record_bytes(const RecordBatch& batch) noexcept {
    std::size_t bytes = 0;
    for (const Record& record : batch.records) bytes += record.key.size() + record.value.size();
    return bytes;
}

Error format_goes_on() {
    return restart_with(Error::Category::sink,
                        "what the format waited for is there; a transaction that was given up "
                        "meanwhile, so that consumers need not wait for it, is sent again");
}

}  // namespace

Flow::Flow(Parts parts, const ResumePoint& from, const FlowOptions& options, const Clock& clock,
           RecordPool& pool, PipelineMetrics& pipeline_metrics)
    : clock_(clock),
      pool_(pool),
      pipeline_metrics_(pipeline_metrics),
      source_(std::move(parts.source)),
      snapshots_(source_->snapshots()),
      sink_(std::move(parts.sink)),
      seals_(sink_->positions() != nullptr),
      whole_(seals_ && options.whole_transactions),
      from_within_(from.within),
      ledger_(from),
      budget_(options.budget_bytes, pool, options.encoder.transaction_marks),
      size_(options.batch_changes, options.batch_changes_fixed),
      transforms_(std::move(parts.transforms)),
      encoder_(std::move(parts.encoder), options.encoder, pool, pipeline_metrics),
      received_(from.at),
      last_read_(clock.now()),
      heartbeat_interval_(options.heartbeat_interval) {
    if (heartbeat_interval_ > Duration{0}) heartbeat_at_ = last_read_ + heartbeat_interval_;
    if (seals_ && snapshots_ != nullptr) snapshots_->is_stored_with_rows();
    if (from.within != Position{}) encoder_.leave_out_until(from.within);
}

Result<bool> Flow::round() {
    count_pause();
    if (auto done = source_->service(); !done) return std::unexpected(std::move(done.error()));
    report_tables();
    if (auto done = encode(); !done) return std::unexpected(std::move(done.error()));
    give_up_if_it_waits_for_long();
    if (given_up_) {
        paused_since_ = clock_.now();
        return false;
    }
    if (auto done = offer(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = collect(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = beat(); !done) return std::unexpected(std::move(done.error()));

    bool more = false;
    if (may_read() && !gathering()) {
        const auto read_more = read();
        if (!read_more) return std::unexpected(read_more.error());
        more = *read_more;
    }
    // A sink that waits for more to make a larger write must not, when no more will come.
    if (ledger_.pending() && (caught_up_ || !may_read())) sink_->caught_up();
    if (auto done = collect(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = note_idle(); !done) return std::unexpected(std::move(done.error()));
    if (!may_read()) paused_since_ = clock_.now();
    return more && may_read();
}

Result<void> Flow::settle() {
    reading_ = false;
    count_pause();
    // The server may go away now: what was taken still counts.
    if (source_ && !source_->service()) stop_reading();
    if (auto done = encode(); !done) return done;
    if (auto done = offer(); !done) return done;
    if (ledger_.pending()) sink_->caught_up();
    return collect();
}

void Flow::stop_reading() noexcept {
    if (!source_) return;
    report_tables();
    server_end_ = source_->server_end();
    certain_until_ = source_->certain_until();
    left_progress_ = snapshot_progress();
    left_revision_ = snapshot_revision();
    left_memory_ = source_->memory();
    left_memory_revision_ = source_->memory_revision();
    snapshots_ = nullptr;
    source_.reset();
}

Result<bool> Flow::read() {
    const std::size_t raw_bytes = budget_.readable(BatchSize::kRaw_bytes_max);
    budget_.reserve(raw_bytes);
    // The rest of a transaction comes alone, so that what is sealed can end with it.
    if (whole_) source_->end_at_commit(inside_transaction_);
    const auto read = source_->read(batch_, size_.changes(), raw_bytes);
    report_tables();
    if (!read) {
        batch_.clear();
        budget_.settle();
        return std::unexpected(read.error());
    }
    caught_up_ = *read == Source::Read::caught_up;
    if (batch_.empty()) {
        batch_.clear();
        budget_.settle();
        return !caught_up_;
    }
    if (auto begun = begin_encoding(); !begun) return std::unexpected(std::move(begun.error()));
    if (auto done = encode(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = offer(); !done) return std::unexpected(std::move(done.error()));
    return !caught_up_;
}

Result<void> Flow::begin_encoding() {
    if (batch_.lane == kStreamLane) {
        if (finishing_) batch_.drop_unfinished();
        inside_transaction_ = !batch_.transactions.back().ends;
    }
    last_read_ = clock_.now();
    batch_.handled_at = clock_.wall();
    for (const auto& transform : transforms_) {
        auto applied = transform->apply(batch_);
        if (!applied) {
            batch_.clear();
            budget_.settle();
            return applied;
        }
    }
    encoder_.begin(batch_);
    return {};
}

// Goes on with the batch that was read last, if its format has waited.
Result<void> Flow::encode() {
    if (!encoder_.busy()) return {};
    auto records = encoder_.step(source_.get());
    if (records && *records == nullptr) return {};
    if (records && given_up_) records = std::unexpected(format_goes_on());
    if (records) return take_in_hand(std::move(*records));
    batch_.clear();
    budget_.settle();
    return std::unexpected(std::move(records.error()));
}

void Flow::give_up_if_it_waits_for_long() {
    if (given_up_ || !whole_ || !cut() || encoder_.waits_for().empty()) return;
    given_up_ = true;
    sink_->give_up();
}

// What the sink has ends inside a transaction. One that was cut by an earlier run, when that was
// allowed, is not cut again.
bool Flow::cut() const noexcept {
    const Position within = ledger_.sealable().within;
    return within != Position{} && within != from_within_;
}

Result<void> Flow::take_in_hand(RecordBatchPtr records) {
    in_hand_as_ = {.lane = batch_.lane,
                   .end = batch_.end,
                   .resume_at = batch_.resume_at,
                   .records = records->records.size(),
                   .bytes = record_bytes(*records),
                   .newest_commit = records->newest_commit,
                   .read_at = last_read_};
    if (batch_.lane == kStreamLane) {
        received_ = std::max(received_, std::max(batch_.end.commit, batch_.resume_at));
    }
    pipeline_metrics_.batch_read(batch_);
    batch_.clear();
    if (caught_up_) {
        size_.caught_up();
        if (!inside_transaction_ && in_hand_as_.lane == kStreamLane) {
            gather_until_ = last_read_ + sink_->group_gap();
        }
    } else {
        size_.behind(in_hand_as_.bytes);
    }
    budget_.settle();
    if (records->records.empty() && !too_early_to_offer()) return note_given();
    hold(std::move(records));
    return {};
}

void Flow::hold(RecordBatchPtr records) {
    pool_.charge(*records, records->footprint(records->records.size(), sink_->bytes_per_record()));
    in_hand_ = std::move(records);
}

// Sends the heartbeat that is due. While the format can't write it yet, all else goes on.
Result<void> Flow::beat() {
    const Instant now = clock_.now();
    if (now < heartbeat_at_ || !may_beat()) return {};
    if (auto noted = note_idle(); !noted) return noted;
    const Position place{.commit = {}, .ordinal = heartbeats_ + 1};
    auto records = encoder_.heartbeat(clock_.wall(), place);
    if (!records) return std::unexpected(std::move(records.error()));
    if (*records == nullptr) return {};
    heartbeat_at_ = now + heartbeat_interval_;
    if ((*records)->records.empty()) return {};
    for (Record& record : (*records)->records) record.commit_lsn = ledger_.confirmable();
    ++heartbeats_;
    in_hand_as_ = {.lane = kHeartbeatLane,
                   .end = place,
                   .resume_at = {},
                   .records = (*records)->records.size(),
                   .bytes = record_bytes(**records),
                   .read_at = now};
    hold(std::move(*records));
    return offer();
}

// As a source that was let go said last.
std::optional<Lsn> Flow::certain_until() const noexcept {
    return source_ ? source_->certain_until() : certain_until_;
}

// What is sealed is stored: the source must be certain of it before the sink has it.
bool Flow::too_early_to_offer() const noexcept {
    if (!seals_ || in_hand_as_.lane != kStreamLane) return false;
    const auto certain = certain_until();
    return certain && *certain < ResumePoint{in_hand_as_.resume_at, in_hand_as_.end}.reach();
}

Result<void> Flow::offer() {
    if (!in_hand_ || too_early_to_offer()) return {};
    if (in_hand_->records.empty()) {
        in_hand_.reset();
        return note_given();
    }
    const auto answer = sink_->offer(in_hand_);
    if (!answer) {
        sink_failed_ = true;
        return std::unexpected(answer.error());
    }
    if (*answer == Sink::Offer::full) return {};
    in_hand_.reset();
    return note_given();
}

// Of the batch that was in hand.
Result<void> Flow::note_given() {
    auto noted = ledger_.push(in_hand_as_);
    if (noted && in_hand_as_.lane == kSnapshotLane) report_to_snapshots();
    return noted;
}

void Flow::report_to_snapshots() {
    if (snapshots_ == nullptr) return;
    const Position read = seals_ ? in_hand_as_.end : ledger_.complete(kSnapshotLane);
    if (read != Position{}) snapshots_->durable(read);
    report_tables();
}

// To the sink: tables that ended, and what became of those that are reloaded. Before a seal can
// store that they are read, or that nobody reads them any more.
void Flow::report_tables() {
    if (snapshots_ == nullptr || !snapshots_->has_news()) return;
    const std::vector<ReloadChange> changes = snapshots_->take_reload_changes();
    const auto hand_on = [&](bool over) {
        for (const ReloadChange& change : changes) {
            if ((change.step == ReloadChange::Step::over) == over) sink_->reload_changed(change);
        }
    };
    hand_on(false);
    for (const SnapshotTableEnd& table : snapshots_->take_ended()) sink_->table_ended(table);
    hand_on(true);
}

Result<void> Flow::collect() {
    for (const Lane lane : {kStreamLane, kSnapshotLane, kHeartbeatLane}) {
        if (!ledger_.pending(lane)) continue;
        if (auto done = collect(lane); !done) return done;
    }
    return {};
}

Result<void> Flow::collect(Lane lane) {
    const auto position = sink_->durable(lane);
    const auto done =
        position ? ledger_.durable(lane, *position) : std::unexpected(position.error());
    if (!done) {
        sink_failed_ = true;
        return std::unexpected(done.error());
    }
    for (const InFlightBatch& batch : *done) {
        ++batches_durable_;
        pipeline_metrics_.batch_durable(batch);
    }
    if (!seals_ && lane == kSnapshotLane && !done->empty()) report_to_snapshots();
    return {};
}

Result<void> Flow::note_idle() {
    if (!caught_up_ || encoder_.busy() || in_hand_ || !ledger_.settled()) return {};
    const auto at = source_->idle_at();
    if (!at) return {};
    received_ = std::max(received_, *at);
    return ledger_.idle(*at);
}

void Flow::count_pause() {
    if (!paused_since_) return;
    pipeline_metrics_.paused(clock_.now() - *paused_since_);
    paused_since_.reset();
}

ResumePoint Flow::sealable() const noexcept {
    const ResumePoint point = ledger_.sealable();
    if (whole_ && cut()) return {};
    const auto certain = certain_until();
    return certain && *certain < point.reach() ? ResumePoint{} : point;
}

// Past the last commit there may be log of which nothing comes.
bool Flow::has_given(Lsn place) const {
    if (!seals_) return false;
    if (sealable().at >= place) return true;
    if (!source_ || !caught_up_ || encoder_.busy() || in_hand_) return false;
    const auto idle = source_->idle_at();
    return idle && *idle >= place;
}

Lsn Flow::confirmable() const noexcept {
    const auto certain = certain_until();
    return std::min(ledger_.confirmable(), certain.value_or(ledger_.confirmable()));
}

void Flow::confirm(Lsn stored, bool now) {
    if (source_) source_->confirm(stored, now);
}

std::string Flow::snapshot_progress() const {
    return snapshots_ != nullptr ? snapshots_->progress() : left_progress_;
}

std::uint64_t Flow::snapshot_revision() const noexcept {
    return snapshots_ != nullptr ? snapshots_->revision() : left_revision_;
}

std::string Flow::memory() const {
    return source_ ? source_->memory() : left_memory_;
}

std::uint64_t Flow::memory_revision() const noexcept {
    return source_ ? source_->memory_revision() : left_memory_revision_;
}

void Flow::snapshot_stored(std::uint64_t revision) {
    if (snapshots_ != nullptr) snapshots_->stored(revision);
}

SnapshotReport Flow::snapshot_report() const {
    return snapshots_ != nullptr ? snapshots_->report() : SnapshotReport{};
}

void Flow::request(const SnapshotCommand& command) {
    if (snapshots_ == nullptr) return;
    snapshots_->request(command);
    report_tables();
}

Result<bool> Flow::close() {
    return source_ ? source_->close() : Result<bool>{true};
}

void Flow::wants(Wants& wants) const {
    const bool gather = gathering();
    if (gather) wants.until(gather_until_);
    if (sink_failed_) return;  // nobody services the source any more
    if (source_) source_->wants(wants, reading_ && may_read() && !gather);
    encoder_.wants(wants);
    if (may_beat() && encoder_.heartbeat_waits()) {
        encoder_.heartbeat_wants(wants);
    } else if (may_beat()) {
        wants.until(heartbeat_at_);
    }
    if (in_hand_ || ledger_.pending()) sink_->wants(wants);
}

Instant Flow::quiet_at() const noexcept {
    return caught_up_ && settled() ? last_read_ : kNever;
}

std::optional<SourceSilence> Flow::silence() const {
    return source_ ? source_->silence() : std::nullopt;
}

StallWatch::Seen Flow::seen() const {
    StallWatch::Seen seen{.streams = true, .idle = quiet_at() != kNever && !snapshot_left()};
    if (encoder_.busy()) {
        seen.obstacles.add(WaitsOn::format,
                           static_cast<std::uint64_t>(last_read_.since_origin.count()));
    }
    const bool uncertain = in_hand_ && too_early_to_offer();
    if (uncertain || waits_for_certainty()) {
        seen.obstacles.add(WaitsOn::source, confirmable().value);
    }
    const bool has_no_room = !encoder_.busy() && !uncertain && !may_read();
    if (has_no_room || (ledger_.pending() && !sink_->waits_for().empty())) {
        // Where it seals, what it takes is progress, too: nothing is durable before the seal.
        seen.obstacles.add(WaitsOn::sink, batches_durable_ + (seals_ ? ledger_.sent() : 0));
    }
    if (reading_ && may_read()) seen.silence = silence();
    return seen;
}

PipelineProgress Flow::progress(Lsn confirmed) const {
    PipelineProgress progress{
        .changes = pipeline_metrics_.changes(),
        .received = received_,
        .confirmed = confirmed,
        .server_end = std::max(source_ ? source_->server_end() : server_end_, received_),
        .buffer_bytes = budget_.used(),
        .sink = may_read() || encoder_.busy() ? SinkState::ready : SinkState::full,
        .sink_waits_for = sink_->waits_for(),
        .format_waits_for = encoder_.waits_for(),
        .tables = sink_->table_modes()};
    if (source_) progress.lag = Duration{0};
    if (!progress.sink_waits_for.empty()) progress.sink = SinkState::waiting;
    if (const WallTime newest = ledger_.newest_pending(); source_ && newest != WallTime{}) {
        const std::chrono::microseconds since{clock_.wall().unix_us - newest.unix_us};
        progress.lag = std::max(Duration{since}, Duration{0});
    }
    return progress;
}

}  // namespace pgc
