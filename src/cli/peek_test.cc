// What waits is shown and stays: on fake parts, in time that moves only by waiting.
#include "cli/peek.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "support/fake_parts.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

using fake::Tx;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class PeekTest : public ::testing::Test {
protected:
    PeekTest() {
        parts.server.identity.slot_is_new = false;
        parts.server.log = {Tx{100}, Tx{200}, Tx{300, 2}};
        parts.server.identity.server_end = Lsn{305};
    }
    // Whatever happens: nothing is confirmed, and nothing created.
    ~PeekTest() override {
        EXPECT_THAT(parts.server.confirmed, IsEmpty());
        EXPECT_THAT(parts.server.may_create, Each(false));
        EXPECT_EQ(parts.server.alive, 0);
        EXPECT_EQ(parts.destination.alive, 0);
    }

    Result<ExitCode> peek(std::optional<std::uint64_t> limit = std::nullopt) {
        return Peek({.parts = parts,
                     .flow = flow,
                     .clock = clock,
                     .waiter = waiter,
                     .metrics = metrics,
                     .stop = stop_request},
                    limit)
            .run();
    }
    void after(Duration time, std::function<void()> action) {
        timeline.emplace(clock.now() + time, std::move(action));
    }
    void happen() {
        while (!timeline.empty() && timeline.begin()->first <= clock.now()) {
            const auto action = std::move(timeline.begin()->second);
            timeline.erase(timeline.begin());
            action();
        }
    }
    auto& shown() { return parts.destination.durable; }

    SimulatedClock clock;
    std::multimap<Instant, std::function<void()>> timeline;
    SimulatedWaiter waiter{clock,
                           [this] { return timeline.empty() ? kNever : timeline.begin()->first; },
                           [this] { happen(); }};
    fake::FakeParts parts;
    FlowOptions flow;
    Metrics metrics{"test"};
    StopRequest stop_request;
};

TEST_F(PeekTest, ShowsAllThatWaits) {
    EXPECT_EQ(peek(), ExitCode::done);
    EXPECT_THAT(shown(), ElementsAre(Pair(100, 1), Pair(200, 1), Pair(300, 1), Pair(300, 2)));
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}));
    EXPECT_THAT(parts.server.snapshots, ElementsAre(""));
}

TEST_F(PeekTest, EndsWhenNothingWaits) {
    parts.server.log.clear();
    parts.server.idle = Lsn{200};
    after(seconds{1}, [this] { parts.server.idle = Lsn{305}; });
    EXPECT_EQ(peek(), ExitCode::done);
    EXPECT_THAT(shown(), IsEmpty());
}

TEST_F(PeekTest, WaitsForTheSourceAndTheSinkToOpen) {
    parts.server.opens_until_ready = 3;
    parts.destination.opens_until_ready = 3;
    EXPECT_EQ(peek(), ExitCode::done);
    EXPECT_THAT(shown(), SizeIs(4));
}

TEST_F(PeekTest, EndsAfterSoManyMessages) {
    EXPECT_EQ(peek(3), ExitCode::done);
    EXPECT_THAT(shown(), ElementsAre(Pair(100, 1), Pair(200, 1), Pair(300, 1)));
    EXPECT_EQ(parts.server.asked_changes.front(), 3U);
}

TEST_F(PeekTest, CountsMessagesAndNotChanges) {
    parts.server.log = {Tx{100, 1, true}, Tx{200}, Tx{300}, Tx{400}};
    EXPECT_EQ(peek(2), ExitCode::done);
    EXPECT_THAT(shown(), ElementsAre(Pair(200, 1), Pair(300, 1)));
}

TEST_F(PeekTest, WaitsForSoManyMessages) {
    parts.server.arrived = 1;
    after(seconds{60}, [this] { parts.server.arrived = 2; });
    EXPECT_EQ(peek(2), ExitCode::done);
    EXPECT_THAT(shown(), SizeIs(2));
}

TEST_F(PeekTest, GoesOnWhenASlowReaderHasRoomAgain) {
    flow.batch_changes = 1;
    flow.batch_changes_fixed = true;
    parts.destination.room = 1;
    parts.destination.confirms = false;
    after(seconds{5}, [this] { parts.destination.confirms = true; });
    EXPECT_EQ(peek(), ExitCode::done);
    EXPECT_THAT(shown(), SizeIs(4));
    EXPECT_GT(parts.server.services, 20);  // feedback goes on meanwhile
}

TEST_F(PeekTest, ASignalEndsTheWaitingForMore) {
    after(seconds{5}, [this] { stop_request.request(); });
    EXPECT_EQ(peek(10), ExitCode::done);
    EXPECT_THAT(shown(), SizeIs(4));
}

TEST_F(PeekTest, ASignalEndsTheWaitingForTheServer) {
    parts.server.opens_until_ready = 1'000'000;
    after(seconds{5}, [this] { stop_request.request(); });
    EXPECT_EQ(peek(), ExitCode::done);
}

TEST_F(PeekTest, ASignalEndsTheWaitingForAReaderWhoStandsStill) {
    parts.destination.confirms = false;
    after(seconds{5}, [this] {
        EXPECT_EQ(parts.server.alive, 0);  // the slot is free meanwhile
        stop_request.request();
    });
    EXPECT_EQ(peek(), ExitCode::interrupted);
}

TEST_F(PeekTest, ShowsWhatWasReadBeforeAnError) {
    parts.server.arrived = 2;
    parts.destination.confirms = false;
    after(seconds{1}, [this] {
        parts.server.read_errors.push_back(retry(Error::Category::connection, "gone"));
    });
    after(seconds{2}, [this] { parts.destination.confirms = true; });
    const auto ended = peek(10);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().what, "gone");
    EXPECT_THAT(shown(), ElementsAre(Pair(100, 1), Pair(200, 1)));
}

TEST_F(PeekTest, EndsWithTheErrorOfItsSink) {
    parts.destination.offer_errors.push_back(stop(Error::Category::sink, "no reader"));
    const auto ended = peek();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().what, "no reader");
}

TEST_F(PeekTest, EndsWithTheChangeThatCannotBeWritten) {
    parts.writing.refuses = {2};
    const auto ended = peek();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().category, Error::Category::data);
}

TEST_F(PeekTest, BeginsAgainAfterWhatWasShownWhenAskedTo) {
    parts.server.arrived = 1;
    after(seconds{1}, [this] {
        parts.server.arrived = 3;
        parts.writing.errors.push_back(restart_with(Error::Category::data, "values as text"));
    });
    EXPECT_EQ(peek(), ExitCode::done);
    EXPECT_THAT(parts.server.started_at, ElementsAre(Lsn{50}, Lsn{105}));
    EXPECT_THAT(shown(), ElementsAre(Pair(100, 1), Pair(200, 1), Pair(300, 1), Pair(300, 2)));
}

TEST_F(PeekTest, BeginsAgainAFewTimesAtMost) {
    for (int i = 0; i < 10; ++i) {
        parts.writing.errors.push_back(restart_with(Error::Category::data, "values as text"));
    }
    EXPECT_FALSE(peek());
    EXPECT_THAT(parts.server.started_at, SizeIs(Peek::kAttempts_max));
}

TEST_F(PeekTest, MakesNoSlot) {
    parts.server.identity.slot_is_new = true;
    const auto ended = peek();
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().what, ::testing::StartsWith("there is no slot \"slot\" yet"));
    EXPECT_THAT(parts.server.started_at, IsEmpty());
}

}  // namespace
}  // namespace pgc
