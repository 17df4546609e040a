#include "sink/file/task_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <vector>

namespace pgc {
namespace {

// Each part counts in a place of its own and in its lane's, without a lock.
void expect_each_once(TaskPool& pool, std::size_t count) {
    std::vector<int> done(count, 0);
    std::vector<std::size_t> by_lane(pool.lanes(), 0);
    pool.for_each(count, [&](std::size_t lane, std::size_t number) {
        ++done[number];
        ++by_lane[lane];
    });
    EXPECT_EQ(done, std::vector<int>(count, 1));
    std::size_t sum = 0;
    for (const std::size_t n : by_lane) sum += n;
    EXPECT_EQ(sum, count);
}

TEST(TaskPoolTest, EachPartIsDoneOnceWhenItReturns) {
    ThreadPool three(3);
    ThreadPool one(1);
    InTurn in_turn(2);
    for (TaskPool* pool : {static_cast<TaskPool*>(&three), static_cast<TaskPool*>(&one),
                           static_cast<TaskPool*>(&in_turn)}) {
        for (int round = 0; round < 200; ++round) {
            for (const std::size_t count : {0U, 1U, 2U, 3U, 40U}) expect_each_once(*pool, count);
        }
    }
}

// Two parts that wait for each other end only if two threads have them.
TEST(TaskPoolTest, LanesWorkAtTheSameTime) {
    ThreadPool pool(2);
    std::latch both(2);
    std::atomic<int> done = 0;
    pool.for_each(2, [&](std::size_t, std::size_t) {
        both.arrive_and_wait();
        ++done;
    });
    EXPECT_EQ(done, 2);
}

TEST(TaskPoolTest, OneThatNeverWorkedEnds) {
    EXPECT_NO_THROW(std::make_unique<ThreadPool>(4).reset());
}

}  // namespace
}  // namespace pgc
