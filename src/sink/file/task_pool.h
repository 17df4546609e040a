// Does the parts of one piece of work on several lanes, and is done when all of them are.
//
// What belongs to a lane (a compressor, room for its output) is used by one part at a time, so the
// parts need no locks as long as each keeps to its lane and to what is its own.
//
// Two implementations: ThreadPool, and InTurn, which does one part after the other on the caller's
// thread, for the simulation and for whoever wants one lane.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pgc {

class TaskPool {
public:
    // Must not throw.
    using Part = std::function<void(std::size_t lane, std::size_t number)>;

    TaskPool() = default;
    TaskPool(const TaskPool&) = delete;
    TaskPool& operator=(const TaskPool&) = delete;
    virtual ~TaskPool() = default;

    // At least one.
    virtual std::size_t lanes() const noexcept = 0;
    // Calls `part` once for each number below `count`, in any order. What the parts wrote can be
    // read when it returns. One call at a time.
    virtual void for_each(std::size_t count, const Part& part) = 0;
};

// The caller's thread is the first lane. The others' threads begin with the first work that has
// something for them; where the system gives no thread, the lanes that are there do it all.
class ThreadPool final : public TaskPool {
public:
    explicit ThreadPool(std::size_t lanes) : lanes_(lanes > 0 ? lanes : 1) {}
    ~ThreadPool() override;

    std::size_t lanes() const noexcept override { return lanes_; }
    void for_each(std::size_t count, const Part& part) override;

private:
    void begin_threads();
    // `seen`: the last round that was before it.
    void run(std::size_t lane, std::uint64_t seen);
    void work(std::size_t lane, const Part& part, std::size_t count);

    const std::size_t lanes_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_ = 0;  // part nobody has taken

    std::mutex mutex_;
    std::condition_variable begun_;
    std::condition_variable done_;
    // Protected by mutex_.
    const Part* part_ = nullptr;  // its owner waits in for_each()
    std::size_t count_ = 0;
    std::uint64_t round_ = 0;
    std::size_t working_ = 0;  // threads that are at this round
    bool ending_ = false;
};

class InTurn final : public TaskPool {
public:
    explicit InTurn(std::size_t lanes = 1) : lanes_(lanes) {}

    std::size_t lanes() const noexcept override { return lanes_; }
    void for_each(std::size_t count, const Part& part) override {
        for (std::size_t i = 0; i < count; ++i) part(i % lanes_, i);
    }

private:
    const std::size_t lanes_;
};

}  // namespace pgc
