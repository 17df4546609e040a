#include "sink/file/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/own_messages.h"
#include "sink/file/ddl.h"

namespace pgc {
namespace {

std::size_t bytes_of(const RecordBatch& batch) noexcept {
    return batch.footprint(0, 0);
}

}  // namespace

FileSink::FileSink(Deps deps)
    : config_(std::move(deps.config)),
      clock_(deps.clock),
      metrics_(deps.metrics),
      logger_(std::move(deps.logger)),
      registry_(std::move(deps.registry)),
      files_(*config_, deps.disk, deps.clock, std::move(deps.pool)),
      start_retention_(std::move(deps.start_retention)),
      worker_(std::move(deps.worker)) {}

FileSink::~FileSink() = default;

Result<void> FileSink::fail(Error error) {
    if (!error_) error_ = std::move(error);
    return std::unexpected(*error_);
}

// -- the worker -----------------------------------------------------------------------------

void FileSink::begin(std::function<Result<void>()> work) {
    working_ = true;
    work_began_ = clock_.now();
    outcome_ = {};
    worker_->begin([this, work = std::move(work)] {
        outcome_.done = work();
        outcome_.next_due = files_.next_due();
    });
}

Result<void> FileSink::work_is_done() {
    working_ = false;
    taken_.clear();
    pending_bytes_ -= std::exchange(taken_bytes_, 0);
    if (!outcome_.done) return fail(std::move(outcome_.done.error()));
    const auto due = outcome_.next_due;
    if (!due) {
        seal_at_ = kNever;
    } else {
        const std::chrono::microseconds left{due->unix_us - clock_.wall().unix_us};
        seal_at_ = clock_.now() + std::max(Duration{0}, Duration{left});
    }
    return {};
}

void FileSink::write_queue() {
    taken_ = std::exchange(queue_, {});
    taken_bytes_ = pending_bytes_;
    begin([this]() -> Result<void> {
        for (const Item& item : taken_) {
            if (auto done = write(item); !done) return done;
        }
        return {};
    });
}

Result<void> FileSink::write(const Item& item) {
    if (const auto* batch = std::get_if<RecordBatchPtr>(&item)) return files_.write(**batch);
    if (const auto* table = std::get_if<SnapshotTableEnd>(&item)) return files_.end_table(*table);
    files_.change_reload(std::get<ReloadChange>(item));
    return {};
}

// -- steps ----------------------------------------------------------------------------------

Result<void> FileSink::step() {
    if (error_) return std::unexpected(*error_);
    for (;;) {
        if (worker_->busy()) return {};
        if (working_) {
            if (auto done = work_is_done(); !done) return done;
        }
        const State before = state_;
        if (auto done = step_idle(); !done) return fail(std::move(done.error()));
        if (state_ == before && !working_) return {};
    }
}

// The worker has nothing to do.
Result<void> FileSink::step_idle() {
    switch (state_) {
        case State::made: return {};
        case State::waiting:
            if (clock_.now() < look_again_) return {};
            [[fallthrough]];
        case State::locking: return look_for_lock();
        case State::taking: return take_over();
        case State::recovering:
            state_ = State::ready;
            if (start_retention_) retention_ = start_retention_();
            return {};
        case State::ready:
            if (!queue_.empty()) write_queue();
            return {};
        case State::sealing: return begin_moving();
        case State::moving: return begin_commit();
        case State::committing: return commit();
        case State::finishing: note_sealed(); return {};
    }
    return {};
}

Result<void> FileSink::look_for_lock() {
    if (outcome_.locked) {
        state_ = State::taking;
        return {};
    }
    if (state_ == State::locking && asked_for_lock_) {
        asked_for_lock_ = false;
        state_ = State::waiting;
        look_again_ = clock_.now() + kLock_again;
        return {};
    }
    state_ = State::locking;
    asked_for_lock_ = true;
    begin([this]() -> Result<void> {
        auto locked = files_.lock();
        if (!locked) return std::unexpected(std::move(locked.error()));
        outcome_.locked = *locked;
        return {};
    });
    return {};
}

Result<void> FileSink::take_over() {
    auto content = registry_->open();
    if (!content) return std::unexpected(std::move(content.error()));
    if (!*content) return {};
    state_ = State::recovering;
    show_modes((*content)->modes);
    begin([this, content = std::move(**content)] { return files_.recover(content); });
    return {};
}

Result<void> FileSink::begin_moving() {
    if (!queue_.empty()) {
        write_queue();
        return {};
    }
    state_ = State::moving;
    begin([this, number = registry_->seal_number() + 1]() -> Result<void> {
        auto seal = files_.seal(sealing_, number);
        if (!seal) return std::unexpected(std::move(seal.error()));
        outcome_.seal = std::move(*seal);
        outcome_.in_use = files_.in_use();
        return {};
    });
    return {};
}

Result<void> FileSink::begin_commit() {
    state_ = State::committing;
    if (auto begun = registry_->commit(outcome_.seal); !begun) return begun;
    return commit();
}

Result<void> FileSink::commit() {
    const auto saved = registry_->positions().saved();
    if (!saved) return std::unexpected(saved.error());
    if (!*saved) return {};
    for (const CompleteFile& file : outcome_.seal.complete) report(file);
    metrics_.recorded_ddl(outcome_.seal.ddl.size());
    show_modes(outcome_.seal.modes);
    metrics_.sealed(outcome_.in_use, clock_.now() - seal_began_);
    state_ = State::finishing;
    begin([this] { return files_.sealed(); });
    return {};
}

void FileSink::report(const CompleteFile& file) {
    logger_.info("a file is complete", {{"path", file.path},
                                        {"rows", file.rows},
                                        {"bytes", file.bytes},
                                        {"end_lsn", file.end_lsn}});
    metrics_.completed(file);
}

void FileSink::show_modes(const std::vector<std::pair<TableId, TableMode>>& modes) {
    for (const auto& [table, mode] : modes) {
        const std::string name = table.schema + "." + table.name;
        metrics_.mode(table, mode);
        logger_.info("a table has another mode",
                     {{"table", name}, {"mode", kTableModes.word(mode)}});
        if (mode == TableMode::streaming) {
            modes_.erase(name);
        } else {
            modes_[name] = mode;
        }
    }
}

TableModeWords FileSink::table_modes() const {
    TableModeWords words;
    for (const auto& [table, mode] : modes_) {
        if (words.size() == kTableModes_max) break;
        words.emplace_back(table, kTableModes.word(mode));
    }
    return words;
}

// It is left out: anybody may have emitted it.
void FileSink::report_strange(const RecordBatch& batch) {
    for (const OwnMessage& message : batch.messages) {
        if (message.prefix != kDdlMessages || read_ddl_message(message)) continue;
        logger_.warning("a logical message about DDL can't be read and is left out",
                        {{"commit_lsn", message.commit_lsn}, {"seq", message.ordinal}});
    }
}

void FileSink::note_sealed() {
    for (const Lane lane : {kStreamLane, kSnapshotLane, kHeartbeatLane}) {
        durable_.raise(lane, accepted_.of(lane));
    }
    saved_ = true;
    state_ = State::ready;
    queue_ = std::exchange(after_seal_, {});
}

// -- what the pipeline asks -----------------------------------------------------------------

Result<bool> FileSink::open() {
    if (state_ == State::made) state_ = State::locking;
    if (auto done = step(); !done) return std::unexpected(std::move(done.error()));
    return state_ >= State::ready;
}

Result<Sink::Offer> FileSink::offer(RecordBatchPtr& batch) {
    if (auto done = step(); !done) return std::unexpected(std::move(done.error()));
    if (state_ != State::ready) return Offer::full;
    const std::size_t bytes = bytes_of(*batch);
    if (pending_bytes_ > 0 && pending_bytes_ + bytes > kPending_bytes_max) return Offer::full;
    report_strange(*batch);
    accepted_.raise(batch->lane, batch->end);
    pending_bytes_ += bytes;
    queue_.emplace_back(std::move(batch));
    if (auto done = step(); !done) return std::unexpected(std::move(done.error()));
    return Offer::accepted;
}

Result<Position> FileSink::durable(Lane lane) {
    // What became durable before an error still is.
    const bool failed_before = error_.has_value();
    const auto done = step();
    if (!done && failed_before) return std::unexpected(*error_);
    return durable_.of(lane);
}

Result<void> FileSink::seal(const StoredPosition& position) {
    if (error_) return std::unexpected(*error_);
    if (state_ != State::ready) {
        return fail(stop(Error::Category::internal, "a seal of files while they are not ready"));
    }
    sealing_ = position;
    reload_changed_ = false;
    seal_began_ = clock_.now();
    saved_ = false;
    state_ = State::sealing;
    return step();
}

Result<bool> FileSink::Positions::saved() {
    if (auto done = sink_.step(); !done) return std::unexpected(std::move(done.error()));
    if (!sink_.saved_) return false;
    return inner().saved();
}

void FileSink::Positions::wants(Wants& wants) const {
    inner().wants(wants);
    sink_.wants(wants);
}

void FileSink::give_up() {
    if (!error_) error_ = retry(Error::Category::sink, "what was accepted was given up");
}

void FileSink::table_ended(const SnapshotTableEnd& table) {
    // What is being sealed says nothing of it yet.
    (state_ == State::ready ? queue_ : after_seal_).emplace_back(table);
}

void FileSink::reload_changed(const ReloadChange& change) {
    using Step = ReloadChange::Step;
    // Of these nobody waits to hear.
    if (change.step != Step::restored && change.step != Step::voided) reload_changed_ = true;
    (state_ == State::ready ? queue_ : after_seal_).emplace_back(change);
}

SealPace FileSink::seal_pace() const noexcept {
    const Duration pause = config_->checkpoint_interval;
    SealPace pace{.soon = pause, .least = pause, .most = std::max(pause, SealPace{}.most)};
    // Else each of its own commits would be a reason for the next.
    if (config_->registry_is_captured_database) pace.idle = std::max(pause, Duration{kIdle});
    return pace;
}

// A registry that went away, or may have, is found out about: its server may be ours, and wait
// with its shutdown until all is confirmed.
Instant FileSink::seal_at() const noexcept {
    if (state_ != State::ready) return kNever;
    return reload_changed_ || registry_->is_disturbed() ? Instant{} : seal_at_;
}

void FileSink::wants(Wants& wants) const {
    if (error_) return;
    worker_->wants(wants);
    if (state_ == State::waiting) wants.until(look_again_);
    if (state_ == State::taking || state_ == State::committing) registry_->wants(wants);
}

std::string FileSink::waits_for() const {
    if (error_) return {};
    if (state_ == State::waiting) {
        return "another process has the lock in " + config_->root;
    }
    if (const Duration waiting = clock_.now() - work_began_; working_ && waiting >= kNoticeable) {
        return fmt::format("the disk of {}: no answer for {} s", config_->root,
                           std::chrono::duration_cast<std::chrono::seconds>(waiting).count());
    }
    return registry_->waits_for();
}

}  // namespace pgc
