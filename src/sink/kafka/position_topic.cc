#include "sink/kafka/position_topic.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

#include "core/position_text.h"
#include "kafka/broker_errors.h"

namespace pgc {
namespace {

constexpr std::string_view kReset =
    "pg-capture position reset --yes, after which changes may be missing: the next start continues "
    "from the slot's position and, unless source.snapshot.mode is never, reads all tables again";

}  // namespace

KafkaPositionTopic::KafkaPositionTopic(std::unique_ptr<PositionLog> log,
                                       const PositionTopicConfig& config, std::string pipeline,
                                       const Clock& clock, Logger logger)
    : log_(std::move(log)),
      hints_(config, pipeline),
      pipeline_(std::move(pipeline)),
      clock_(clock),
      logger_(std::move(logger)) {}

Result<std::optional<PositionStore::Loaded>> KafkaPositionTopic::load() {
    if (state_ == State::appending) {
        const auto done = append_on();
        if (!done) return std::unexpected(done.error());
        if (!*done) return std::nullopt;
    }
    if (state_ == State::creating) {
        const auto done = go_on(&PositionLog::created);
        if (!done) return std::unexpected(done.error());
        if (!*done) return std::nullopt;
    }
    if (state_ == State::idle) enter(State::reading);
    return read_on();
}

void KafkaPositionTopic::create() {
    assert(state_ == State::idle);
    enter(State::creating);
}

Result<void> KafkaPositionTopic::save(const StoredPosition& position) {
    assert(state_ == State::idle && "one at a time");
    if (refused_) return std::unexpected(*refused_);
    value_ = write_position(position);
    enter(State::appending);
    return {};
}

// What stands under our key is ours to forget, whoever wrote it.
Result<void> KafkaPositionTopic::forget() {
    assert(state_ == State::idle && "one at a time");
    if (refused_) return std::unexpected(*refused_);
    value_.clear();
    enter(State::appending);
    return {};
}

Result<bool> KafkaPositionTopic::saved() {
    if (refused_) return std::unexpected(*refused_);
    return state_ != State::appending ? true : append_on();
}

void KafkaPositionTopic::wants(Wants& wants) const {
    if (state_ == State::idle) return;
    if (begin_at_) {
        wants.until(*begin_at_);
    } else {
        wants.until(report_at_);
        log_->wants(wants);
    }
}

void KafkaPositionTopic::enter(State state) {
    state_ = state;
    begin_at_.reset();
    since_ = clock_.now();
    report_at_ = since_ + kPatience;
    begin();
}

void KafkaPositionTopic::begin() {
    switch (state_) {
        case State::idle: break;
        case State::reading: log_->read(); break;
        case State::creating: log_->create(); break;
        case State::appending: log_->append(value_); break;
    }
}

// Begins again what failed, once the pause is over.
bool KafkaPositionTopic::paused() {
    if (!begin_at_) return false;
    if (clock_.now() < *begin_at_) return true;
    begin_at_.reset();
    begin();
    return false;
}

// What the log answers; Answer{} while it is at it, and while a failure that may pass is waited
// out.
template <typename Answer>
Result<Answer> KafkaPositionTopic::go_on(Result<Answer> (PositionLog::*ask)()) {
    if (paused()) return Answer{};
    auto answer = ((*log_).*ask)();
    if (!answer) {
        auto error = failed(std::move(answer.error()));
        if (error.next == Error::Next::retry) return Answer{};
        state_ = State::idle;
        return std::unexpected(std::move(error));
    }
    if (*answer) {
        answered();
    } else {
        look_at_the_time();
    }
    return answer;
}

Result<bool> KafkaPositionTopic::append_on() {
    auto done = go_on(&PositionLog::appended);
    if (!done) refused_ = done.error();
    return done;
}

Result<std::optional<PositionStore::Loaded>> KafkaPositionTopic::read_on() {
    const auto tail = go_on(&PositionLog::tail);
    if (!tail) return std::unexpected(tail.error());
    if (!*tail) return std::nullopt;
    auto loaded = understood(**tail);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    return std::optional{std::move(*loaded)};
}

Result<PositionStore::Loaded> KafkaPositionTopic::understood(const PositionLog::Tail& tail) const {
    if (tail.topic_is_missing) return Loaded{.position = {}, .store_is_missing = true};
    if (!tail.value || tail.value->empty()) return Loaded{};
    auto position = read_position(*tail.value);
    if (!position) {
        return std::unexpected(
            stop(Error::Category::position,
                 "the stored position can't be used: " + position.error())
                .at(where())
                .with_hint("if this topic is not ours, name another with state.topic; or " +
                           std::string{kReset}));
    }
    if (position->pipeline != pipeline_) {
        return std::unexpected(
            stop(Error::Category::position,
                 fmt::format("the stored position belongs to pipeline {}, not to {}",
                             position->pipeline, pipeline_))
                .at(where())
                .with_hint("find out who wrote it under our key; or " + std::string{kReset}));
    }
    return Loaded{.position = std::move(*position), .store_is_missing = false};
}

// What failed for now is tried again after a pause.
Error KafkaPositionTopic::failed(Error error) {
    if (error.where.empty()) error.where = where();
    if (error.next == Error::Next::stop) return error;
    begin_at_ = clock_.now() + kPause;
    ++attempts_;
    const bool knows_more = !reported_why_ || kafka_cause_rank(error) > reported_rank_;
    if (knows_more || clock_.now() >= report_at_) report(&error);
    return error;
}

void KafkaPositionTopic::answered() {
    state_ = State::idle;
    attempts_ = 0;
    if (!reported_) return;
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - since_);
    logger_.info("the topic of positions answers again", {{"waited_ms", waited.count()}});
    reported_ = reported_why_ = false;
}

void KafkaPositionTopic::look_at_the_time() {
    if (clock_.now() >= report_at_) report(nullptr);
}

void KafkaPositionTopic::report(const Error* error) {
    const std::string_view what =
        state_ == State::appending  ? "the position can't be stored yet; trying again"
        : state_ == State::creating ? "the topic of positions can't be created yet; trying again"
                                    : "the stored position can't be read yet; trying again";
    if (error != nullptr) {
        logger_.failure(LogLevel::warning, what, *error);
    } else {
        const auto waited =
            std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - since_);
        logger_.warning(what, {{"where", where()}, {"no_answer_for_ms", waited.count()}});
    }
    reported_ = true;
    if (error != nullptr) {
        reported_why_ = true;
        reported_rank_ = kafka_cause_rank(*error);
    }
    report_at_ = clock_.now() + kReport_every;
}

}  // namespace pgc
