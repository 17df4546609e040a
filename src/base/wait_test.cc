#include "base/wait.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"

namespace pgc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PollWaiterTest : public testing::Test {
protected:
    PollWaiterTest() { EXPECT_EQ(::pipe(ends_), 0); }
    ~PollWaiterTest() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Duration waited(const Wants& wants) {
        const Instant before = clock.now();
        waiter.wait(wants);
        return clock.now() - before;
    }

    const SystemClock clock;
    PollWaiter waiter{clock};
    int ends_[2] = {-1, -1};
};

TEST_F(PollWaiterTest, ReturnsAtTheDeadlineAndNotBefore) {
    Wants wants;
    wants.readable(ends_[0]);
    wants.until(clock.now() + milliseconds{20});
    EXPECT_GE(waited(wants), milliseconds{19});
}

TEST_F(PollWaiterTest, ADeadlineThatHasPassedDoesNotWait) {
    Wants wants;
    wants.until(clock.now());
    EXPECT_LT(waited(wants), seconds{5});
}

TEST_F(PollWaiterTest, ReturnsWhenSomethingCanBeRead) {
    ASSERT_EQ(::write(ends_[1], "x", 1), 1);
    Wants wants;
    wants.readable(ends_[0]);
    EXPECT_LT(waited(wants), seconds{5});
}

TEST_F(PollWaiterTest, ReturnsWhenSomethingCanBeWritten) {
    Wants wants;
    wants.writable(ends_[1]);
    EXPECT_LT(waited(wants), seconds{5});
}

TEST(WantsTest, TheEarliestMomentCounts) {
    Wants wants;
    EXPECT_EQ(wants.deadline, kNever);
    wants.until(Instant{seconds{5}});
    wants.until(Instant{seconds{3}});
    wants.until(Instant{seconds{9}});
    EXPECT_EQ(wants.deadline, Instant{seconds{3}});
    wants.clear();
    EXPECT_EQ(wants.deadline, kNever);
    EXPECT_TRUE(wants.interests.empty());
}

TEST(RandomTest, OneSeedGivesOneSequence) {
    Random a{7};
    Random b{7};
    Random c{8};
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const auto value = a.next();
        EXPECT_EQ(value, b.next());
        differs = differs || value != c.next();
    }
    EXPECT_TRUE(differs);
}

TEST(RandomTest, StaysBelowItsBound) {
    Random random{1};
    for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(7), 7U);
    EXPECT_EQ(random.below(1), 0U);
}

}  // namespace
}  // namespace pgc
