// Runs one piece of work at a time beside the pipeline's thread: what blocks on a disk.
//
// Two implementations: ThreadWorker, and SimulatedWorker, which works at once and says so when its
// time has come.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/wait.h"
#include "base/wake.h"

namespace pgc {

class Worker {
public:
    using Work = std::function<void()>;

    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    // Waits for the work that was begun.
    virtual ~Worker() = default;

    // Requires: !busy().
    virtual void begin(Work work) = 0;
    // False: all that was begun is done, and what it wrote can be read.
    virtual bool busy() = 0;
    // Adds what the end of the work shows in, while there is any.
    virtual void wants(Wants& wants) const = 0;
};

class ThreadWorker final : public Worker {
public:
    ThreadWorker() = default;
    ~ThreadWorker() override;

    void begin(Work work) override;
    bool busy() override;
    void wants(Wants& wants) const override;

private:
    void run();

    bool busy_ = false;  // of the pipeline's thread: the end was not seen yet
    Wake done_;
    std::thread thread_;  // begun with the first work

    std::mutex mutex_;
    std::condition_variable asked_;
    // Protected by mutex_.
    Work work_;
    bool finished_ = false;
    bool ending_ = false;
};

class SimulatedWorker final : public Worker {
public:
    // `takes`: how long a piece of work takes. All outlive it.
    SimulatedWorker(const Clock& clock, std::function<Duration()> takes)
        : clock_(clock), takes_(std::move(takes)) {}

    void begin(Work work) override {
        work();
        done_at_ = clock_.now() + takes_();
    }
    bool busy() override { return clock_.now() < done_at_; }
    void wants(Wants& wants) const override {
        if (clock_.now() < done_at_) wants.until(done_at_);
    }

private:
    const Clock& clock_;
    const std::function<Duration()> takes_;
    Instant done_at_;
};

}  // namespace pgc
