#include "sink/file/worker.h"

#include <cassert>
#include <system_error>
#include <utility>

namespace pgc {

ThreadWorker::~ThreadWorker() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    asked_.notify_one();
    thread_.join();
}

void ThreadWorker::begin(Work work) {
    assert(!busy_ && "one at a time");
    if (!thread_.joinable()) {
        try {
            thread_ = std::thread{[this] { run(); }};
        } catch (const std::system_error&) {
            work();  // no thread to be had: slow is better than not at all
            return;
        }
    }
    busy_ = true;
    {
        const std::lock_guard lock(mutex_);
        work_ = std::move(work);
    }
    asked_.notify_one();
}

bool ThreadWorker::busy() {
    if (!busy_) return false;
    done_.clear();
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, false)) busy_ = false;
    return busy_;
}

void ThreadWorker::wants(Wants& wants) const {
    if (busy_) wants.readable(done_.fd());
}

void ThreadWorker::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [this] { return work_ || ending_; });
        if (!work_) return;
        const Work work = std::exchange(work_, nullptr);
        lock.unlock();
        work();
        lock.lock();
        finished_ = true;
        done_.notify();
    }
}

}  // namespace pgc
