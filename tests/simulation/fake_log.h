// The topic of positions: survives the process, loses what was not acknowledged, and tells
// the oracle what was stored; and a log on it that is slow, fails and answers late.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/position_text.h"
#include "kafka/position_log.h"
#include "simulation/oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

struct LogHabits {
    Duration delay_max{0};            // of each answer
    unsigned failures_per_10000 = 0;  // of each request: it may have been done all the same
};

class FakeTopic {
public:
    FakeTopic(World& world, Oracle& oracle) : world_(world), oracle_(oracle) {}

    bool exists() const noexcept { return exists_; }
    bool has_position() const noexcept { return has_position_; }
    const std::optional<std::string>& last() const noexcept { return last_; }

    void create() { exists_ = true; }
    void remove() {
        exists_ = false;
        forget();
    }
    // All replicas have it.
    void take(std::string value) {
        if (value.empty()) return forget();
        const auto position = read_position(value);
        if (!position) {
            world_.fail("a position was stored that can't be read: " + position.error());
        } else {
            oracle_.stored(*position);
            has_position_ = static_cast<bool>(position->resume_at);
        }
        last_ = std::move(value);
    }

    void append_begins() { oracle_.repeats_oracle().save_begins(); }
    void append_ends() { oracle_.repeats_oracle().save_ends(); }

    // Nobody can be reached before.
    void go_away(Duration time) {
        world_.note("the topic of positions is away");
        back_at_ = std::max(back_at_, world_.clock.now() + time);
        oracle_.store_is_away(back_at_);
    }
    Instant back_at() const noexcept { return back_at_; }

private:
    void forget() {
        last_.reset();
        has_position_ = false;
    }

    World& world_;
    Oracle& oracle_;
    bool exists_ = false;
    bool has_position_ = false;
    std::optional<std::string> last_;
    Instant back_at_;
};

class FakeLog final : public PositionLog {
public:
    FakeLog(World& world, FakeTopic& topic, const LogHabits& habits)
        : world_(world),
          topic_(topic),
          habits_(habits),
          fd_(world.open_descriptor([this] { return answer_at_; })) {}
    // What was on its way is forgotten, or arrives all the same; nobody is told.
    ~FakeLog() override {
        if (value_ && world_.random.chance(50)) arrive();
        world_.close_descriptor(fd_);
    }

    void read() override { ask("read positions"); }
    Result<std::optional<Tail>> tail() override {
        const auto done = answered("positions read");
        if (!done) return std::unexpected(done.error());
        if (!*done) return std::nullopt;
        return Tail{.topic_is_missing = !topic_.exists(), .value = topic_.last()};
    }
    void create() override { ask("create the topic of positions"); }
    Result<bool> created() override {
        auto done = answered("topic of positions created");
        if (done ? *done : world_.random.chance(50)) {
            topic_.create();
            world_.step("after the topic is there");
        }
        return done;
    }
    void append(std::string value) override {
        value_ = std::move(value);
        topic_.append_begins();
        ask("append a position");
    }
    Result<bool> appended() override {
        if (world_.clock.now() >= answer_at_ && !topic_.exists()) {
            return std::unexpected(stop(Error::Category::position, "the topic is gone"));
        }
        auto done = answered("position appended");
        if (done && !*done) return done;
        if (done || world_.random.chance(50)) {
            arrive();
            world_.step("after the topic has it");
        }
        value_.reset();
        if (done) topic_.append_ends();  // else it is tried again
        return done;
    }
    void wants(Wants& wants) const override { wants.readable(fd_); }

private:
    void ask(const char* what) {
        world_.step(what);
        answer_at_ = std::max(world_.clock.now(), topic_.back_at()) +
                     world_.between(Duration{0}, habits_.delay_max);
        fails_ = world_.random.below(10'000) < habits_.failures_per_10000;
    }
    Result<bool> answered(const char* what) {
        world_.step(what);
        if (world_.clock.now() < answer_at_) return false;
        answer_at_ = kNever;
        if (!fails_) return true;
        world_.note("fails: ", what);
        return std::unexpected(retry(Error::Category::connection, "the broker went away"));
    }
    void arrive() {
        if (topic_.exists()) topic_.take(*value_);
    }

    World& world_;
    FakeTopic& topic_;
    const LogHabits& habits_;
    Instant answer_at_ = kNever;
    bool fails_ = false;
    std::optional<std::string> value_;  // on its way
    const int fd_;
};

}  // namespace pgc::sim
