#include "server/health_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(HealthJsonTest, TellsStatePositionsAndLag) {
    ManualClock clock;
    Status status{"shop", clock};
    status.enter(PipelineState::streaming);
    status.progressed({.changes = 5,
                       .received = Lsn{0x30},
                       .confirmed = Lsn{0x10},
                       .server_end = Lsn{0x40},
                       .lag = 12ms,
                       .buffer_bytes = 7});
    clock.advance(2s);
    EXPECT_EQ(health_json(status.snapshot()),
              R"({"pipeline":"shop","state":"streaming","in_state_seconds":2,"live":true,)"
              R"("ready":true,"lag_seconds":0.012,"behind_bytes":48,"received":"0/30",)"
              R"("confirmed":"0/10","server_end":"0/40","changes":5,"buffer_bytes":7,)"
              R"("last_error":null})"
              "\n");
}

TEST(HealthJsonTest, StaysValidWhateverThePipelineIsCalled) {
    ManualClock clock;
    Status status{"a\"\\\n\xff", clock};
    status.failed_with(stop(Error::Category::server, "x\"y"));
    const auto json = health_json(status.snapshot());
    EXPECT_THAT(json, HasSubstr("{\"pipeline\":\"a\\\"\\\\\\n\xEF\xBF\xBD\","));
    EXPECT_THAT(json,
                HasSubstr(R"("last_error":{"at":"2026-11-21T02:57:05.123Z","text":"x\"y"}})"));
}

}  // namespace
}  // namespace pgc
