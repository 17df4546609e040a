// What kafka/position_log.h promises, asked of every log that needs no broker; the one over
// librdkafka is asked by tests/kafka.
//
// A new log: a line in kLogs.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "core/position_text.h"
#include "simulation/fake_log.h"
#include "support/fake_position_log.h"

namespace pgc {
namespace {

// A topic of positions, and what may happen to it.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    // As another process would open it.
    virtual std::unique_ptr<PositionLog> open(const std::string& key) = 0;
    virtual void remove_topic() = 0;
    // While it fails, whatever is begun gets no answer but `retry`.
    virtual void fails(bool now) = 0;
    // Until something is there that `wants` names.
    virtual void wait(const Wants& wants) = 0;
};

class FakeRig final : public Rig {
public:
    std::unique_ptr<PositionLog> open(const std::string& key) override {
        return std::make_unique<fake::FakePositionLog>(topic_, key);
    }
    void remove_topic() override {
        topic_.exists = false;
        topic_.last.clear();
    }
    void fails(bool now) override {
        for (auto* errors : {&topic_.read_errors, &topic_.create_errors, &topic_.append_errors}) {
            errors->assign(now ? 1 : 0, retry(Error::Category::connection, "the broker is away"));
        }
    }
    void wait(const Wants&) override {}

private:
    fake::PositionRecords topic_;
};

// Its answers come late. What its oracle makes of our positions is not looked at.
class SimulatedRig final : public Rig {
public:
    SimulatedRig() { topic_.create(); }

    std::unique_ptr<PositionLog> open(const std::string&) override {
        return std::make_unique<sim::FakeLog>(world_, topic_, habits_);
    }
    void remove_topic() override { topic_.remove(); }
    void fails(bool now) override { habits_.failures_per_10000 = now ? 10'000 : 0; }
    void wait(const Wants& wants) override {
        Instant ready = wants.deadline;
        for (const Interest& one : wants.interests) {
            ready = std::min(ready, world_.readable_at(one.fd));
        }
        ASSERT_NE(ready, kNever) << "it would wait for ever";
        world_.clock.advance_to(ready);
    }

private:
    sim::World world_{1, false};
    const sim::History history_;
    sim::Oracle oracle_{world_, history_, false, sim::kTables};
    sim::FakeTopic topic_{world_, oracle_};
    sim::LogHabits habits_{.delay_max = std::chrono::seconds{1}};
};

struct Kind {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();

    friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

template <typename Made>
std::unique_ptr<Rig> make() {
    return std::make_unique<Made>();
}

constexpr Kind kFake{.name = "fake", .make = make<FakeRig>};
// Knows one pipeline only.
constexpr Kind kSimulated{.name = "simulated", .make = make<SimulatedRig>};
constexpr Kind kLogs[] = {kFake, kSimulated};
constexpr Kind kLogsOfMany[] = {kFake};

// What the simulation's log takes is a position.
std::string position(std::uint64_t lsn) {
    return write_position({.pipeline = "shop",
                           .system = "77",
                           .timeline = 1,
                           .database = "shop",
                           .slot = "shop_slot",
                           .resume_at = Lsn{lsn}});
}

class PositionLogConformanceTest : public testing::TestWithParam<Kind> {
protected:
    PositionLogConformanceTest() : log_(rig_->open("shop")) {}

    // Asks until there is an answer; waits for what the log says it waits for.
    template <typename Ask, typename Answered>
    auto answer(PositionLog& log, Ask ask, Answered answered) {
        for (;;) {
            auto got = ask();
            if (!got || answered(*got)) return got;
            Wants wants;
            log.wants(wants);
            EXPECT_FALSE(wants.interests.empty() && wants.deadline == kNever);
            if (testing::Test::HasFailure()) return got;
            rig_->wait(wants);
        }
    }
    Result<std::optional<PositionLog::Tail>> read(PositionLog& log) {
        log.read();
        return answer(log, [&] { return log.tail(); }, [](const auto& tail) { return !!tail; });
    }
    Result<bool> create() {
        log_->create();
        return answer(*log_, [&] { return log_->created(); }, [](bool done) { return done; });
    }
    Result<bool> append(PositionLog& log, const std::string& value) {
        log.append(value);
        return answer(log, [&] { return log.appended(); }, [](bool done) { return done; });
    }
    // As the next process reads it; none: nothing stands there.
    std::optional<std::string> last(const std::string& key = "shop") {
        const auto next = rig_->open(key);
        const auto tail = read(*next);
        if (!tail || !*tail) {
            ADD_FAILURE() << (tail ? "no answer" : describe(tail.error()));
            return std::nullopt;
        }
        EXPECT_FALSE((*tail)->topic_is_missing);
        return (*tail)->value;
    }

    const std::unique_ptr<Rig> rig_ = GetParam().make();
    std::unique_ptr<PositionLog> log_;
};

TEST_P(PositionLogConformanceTest, NothingStandsThereAtFirst) {
    EXPECT_EQ(last(), std::nullopt);
}

TEST_P(PositionLogConformanceTest, TheNextProcessSeesTheLastThatWasAppended) {
    ASSERT_TRUE(append(*log_, position(100)));
    EXPECT_EQ(last(), position(100));
    ASSERT_TRUE(append(*log_, position(200)));
    EXPECT_EQ(last(), position(200));
    const auto own = read(*log_);
    ASSERT_TRUE(own && *own);
    EXPECT_EQ((*own)->value, position(200));
}

TEST_P(PositionLogConformanceTest, AnEmptyValueTakesAwayWhatStandsThere) {
    ASSERT_TRUE(append(*log_, position(100)));
    ASSERT_TRUE(append(*log_, ""));
    EXPECT_EQ(last(), std::nullopt);
    ASSERT_TRUE(append(*log_, position(200)));
    EXPECT_EQ(last(), position(200));
}

TEST_P(PositionLogConformanceTest, AMissingTopicIsReportedAndCreated) {
    ASSERT_TRUE(append(*log_, position(100)));
    rig_->remove_topic();
    const auto missing = read(*log_);
    ASSERT_TRUE(missing && *missing);
    EXPECT_TRUE((*missing)->topic_is_missing);
    EXPECT_EQ((*missing)->value, std::nullopt);
    ASSERT_TRUE(create());
    EXPECT_EQ(last(), std::nullopt);
    ASSERT_TRUE(append(*log_, position(200)));
    EXPECT_EQ(last(), position(200));
}

TEST_P(PositionLogConformanceTest, ATopicThatIsThereIsLeftAsItIs) {
    ASSERT_TRUE(append(*log_, position(100)));
    ASSERT_TRUE(create());
    EXPECT_EQ(last(), position(100));
}

TEST_P(PositionLogConformanceTest, NothingIsAppendedToATopicThatIsGone) {
    rig_->remove_topic();
    const auto refused = append(*log_, position(100));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_EQ(refused.error().category, Error::Category::position);
    const auto tail = read(*log_);
    ASSERT_TRUE(tail && *tail);
    EXPECT_TRUE((*tail)->topic_is_missing);
}

TEST_P(PositionLogConformanceTest, AfterARetryTheSameIsAppendedAgain) {
    ASSERT_TRUE(append(*log_, position(100)));
    rig_->fails(true);
    const auto failed = append(*log_, position(200));
    rig_->fails(false);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().next, Error::Next::retry);
    ASSERT_TRUE(append(*log_, position(200)));
    EXPECT_EQ(last(), position(200));
}

TEST_P(PositionLogConformanceTest, AfterARetryAReadingIsBegunAgain) {
    ASSERT_TRUE(append(*log_, position(100)));
    rig_->fails(true);
    const auto failed = read(*log_);
    rig_->fails(false);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().next, Error::Next::retry);
    const auto tail = read(*log_);
    ASSERT_TRUE(tail && *tail);
    EXPECT_EQ((*tail)->value, position(100));
}

TEST_P(PositionLogConformanceTest, AfterARetryACreationIsBegunAgain) {
    rig_->remove_topic();
    rig_->fails(true);
    const auto failed = create();
    rig_->fails(false);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().next, Error::Next::retry);
    ASSERT_TRUE(create());
    EXPECT_EQ(last(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Logs, PositionLogConformanceTest, testing::ValuesIn(kLogs),
                         [](const auto& kind) { return std::string{kind.param.name}; });

class PositionLogKeysTest : public PositionLogConformanceTest {};

TEST_P(PositionLogKeysTest, EachPipelineHasAKeyOfItsOwn) {
    const auto other = rig_->open("bank");
    ASSERT_TRUE(append(*log_, position(100)));
    EXPECT_EQ(last("bank"), std::nullopt);
    ASSERT_TRUE(append(*other, position(200)));
    ASSERT_TRUE(append(*log_, ""));
    EXPECT_EQ(last("bank"), position(200));
}

INSTANTIATE_TEST_SUITE_P(Logs, PositionLogKeysTest, testing::ValuesIn(kLogsOfMany),
                         [](const auto& kind) { return std::string{kind.param.name}; });

}  // namespace
}  // namespace pgc
