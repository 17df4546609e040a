#include "sink/file/task_pool.h"

#include <system_error>

namespace pgc {

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    begun_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::begin_threads() {
    try {
        while (threads_.size() + 1 < lanes_) {
            threads_.emplace_back(
                [this, lane = threads_.size() + 1, seen = round_] { run(lane, seen); });
        }
    } catch (const std::system_error&) {
        return;  // asked for again with the next work: slow is better than not at all
    }
}

void ThreadPool::for_each(std::size_t count, const Part& part) {
    if (count > 1) begin_threads();
    next_.store(0, std::memory_order_relaxed);
    if (count < 2 || threads_.empty()) return work(0, part, count);
    {
        const std::lock_guard lock(mutex_);
        part_ = &part;
        count_ = count;
        working_ = threads_.size();
        ++round_;
    }
    begun_.notify_all();
    work(0, part, count);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return working_ == 0; });
}

void ThreadPool::run(std::size_t lane, std::uint64_t seen) {
    std::unique_lock lock(mutex_);
    for (;;) {
        begun_.wait(lock, [&] { return round_ != seen || ending_; });
        if (ending_) return;
        seen = round_;
        const Part& part = *part_;
        const std::size_t count = count_;
        lock.unlock();
        work(lane, part, count);
        lock.lock();
        if (--working_ == 0) done_.notify_one();
    }
}

void ThreadPool::work(std::size_t lane, const Part& part, std::size_t count) {
    for (;;) {
        const std::size_t number = next_.fetch_add(1, std::memory_order_relaxed);
        if (number >= count) return;
        part(lane, number);
    }
}

}  // namespace pgc
