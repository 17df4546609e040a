#include "sink/file/worker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <thread>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

// As the pipeline does: waits for the descriptor, then looks.
void wait_for(Worker& worker) {
    while (worker.busy()) {
        Wants wants;
        worker.wants(wants);
        ASSERT_EQ(wants.interests.size(), 1U);
        pollfd ask{.fd = wants.interests[0].fd, .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&ask, 1, 60'000), 1);
    }
}

TEST(ThreadWorkerTest, WhatItDidIsSeenWhenItIsDone) {
    ThreadWorker worker;
    int sum = 0;
    for (int i = 1; i <= 100; ++i) {
        worker.begin([&sum, i] { sum += i; });
        wait_for(worker);
    }
    EXPECT_EQ(sum, 5050);
    Wants wants;
    worker.wants(wants);
    EXPECT_TRUE(wants.interests.empty()) << "there is nothing to wait for";
}

TEST(ThreadWorkerTest, ItsEndWaitsForWhatItHasBegun) {
    bool done = false;
    {
        ThreadWorker worker;
        worker.begin([&done] {
            std::this_thread::sleep_for(20ms);
            done = true;
        });
    }
    EXPECT_TRUE(done);
}

TEST(SimulatedWorkerTest, ItIsBusyForItsTime) {
    ManualClock clock;
    SimulatedWorker worker(clock, [] { return 5ms; });
    bool done = false;
    worker.begin([&done] { done = true; });
    EXPECT_TRUE(worker.busy());
    Wants wants;
    worker.wants(wants);
    EXPECT_EQ(wants.deadline, clock.now() + 5ms);
    clock.advance(5ms);
    EXPECT_FALSE(worker.busy());
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace pgc
