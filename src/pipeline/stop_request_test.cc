#include "pipeline/stop_request.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace pgc {
namespace {

bool wakes(const StopRequest& stop) {
    pollfd asked{stop.wake_fd(), POLLIN, 0};
    return ::poll(&asked, 1, 0) > 0;
}

TEST(StopRequestTest, NobodyAskedYet) {
    const StopRequest stop;
    EXPECT_FALSE(stop.drain());
    EXPECT_FALSE(stop.at_once());
    EXPECT_FALSE(wakes(stop));
}

TEST(StopRequestTest, TheFirstRequestDrainsTheSecondEndsAtOnce) {
    StopRequest stop;
    stop.request();
    EXPECT_TRUE(stop.drain());
    EXPECT_FALSE(stop.at_once());
    stop.request();
    EXPECT_TRUE(stop.at_once());
}

TEST(StopRequestTest, WakesUntilItIsNoticedAndOnceMoreForTheSecond) {
    StopRequest stop;
    stop.request();
    EXPECT_TRUE(wakes(stop));
    stop.noticed();
    EXPECT_FALSE(wakes(stop)) << "else a drain would spin";
    EXPECT_TRUE(stop.drain());
    stop.request();
    EXPECT_TRUE(wakes(stop));
}

}  // namespace
}  // namespace pgc
