// The state machine as a whole, on fake parts and in time that moves only by waiting.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"
#include "support/fake_parts.h"
#include "support/log_text.h"
#include "support/simulated_time.h"

namespace pgc {

class PipelineTest : public testing::Test {
protected:
    SimulatedClock clock;
    std::multimap<Instant, std::function<void()>> timeline;
    SimulatedWaiter waiter{clock,
                           [this] { return timeline.empty() ? kNever : timeline.begin()->first; },
                           [this] { happen(); }};
    Random random{3};
    fake::FakeStore store;
    fake::FakeParts parts;
    StopRequest stop_request;
    Status status{"p", clock};
    Metrics metrics{"test"};
    SnapshotRequests snapshot_requests;
    LogText lines;
    Log log{{}, lines, clock};
    PipelineOptions options;
    std::vector<Lsn> confirmed_unstored;
    Duration took{0};

    PipelineTest() { options.name = "p"; }

    void happen() {
        while (!timeline.empty() && timeline.begin()->first <= clock.now()) {
            auto action = std::move(timeline.begin()->second);
            timeline.erase(timeline.begin());
            action();
        }
        check_law();
    }
    // The law: what was confirmed had been stored.
    void check_law() {
        for (const Lsn lsn : parts.server.confirmed) {
            if (!store.content || lsn > store.content->resume_at) confirmed_unstored.push_back(lsn);
        }
    }
    void after(Duration time, std::function<void()> action) {
        timeline.emplace(clock.now() + time, std::move(action));
    }
    void stop_after(Duration time) {
        after(time, [this] { stop_request.request(); });
    }
    Result<void> run() {
        const Instant began = clock.now();
        Pipeline pipeline{options,
                          {.clock = clock,
                           .waiter = waiter,
                           .random = random,
                           .store = store,
                           .parts = parts,
                           .stop = stop_request,
                           .status = status,
                           .metrics = metrics,
                           .snapshot_requests = snapshot_requests,
                           .log = log.logger("pipeline")}};
        auto outcome = pipeline.run();
        took = clock.now() - began;
        check_law();
        EXPECT_THAT(confirmed_unstored, testing::ElementsAre()) << "confirmed before it was stored";
        EXPECT_EQ(parts.server.alive, 0);
        EXPECT_EQ(parts.destination.alive, 0);
        return outcome;
    }
    void run_well() {
        const auto outcome = run();
        EXPECT_TRUE(outcome) << describe(outcome.error());
        EXPECT_EQ(status.snapshot().state, PipelineState::stopped);
    }
    Error run_into_error() {
        const auto outcome = run();
        EXPECT_FALSE(outcome);
        EXPECT_EQ(status.snapshot().state, PipelineState::failed);
        return outcome ? Error{} : outcome.error();
    }
    void store_has(std::uint64_t lsn) {
        store.content = StoredPosition{"p", "1", 1, "db", "slot", Lsn{lsn}};
        parts.server.identity.slot_is_new = false;
    }
    std::size_t sent() const { return parts.destination.durable.size(); }
};

inline Error passing(std::string what = "gone") {
    return retry(Error::Category::connection, std::move(what));
}

}  // namespace pgc
