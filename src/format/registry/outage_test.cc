#include "format/registry/outage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class RegistryOutageTest : public testing::Test {
protected:
    void look(std::optional<Error> trouble = {}) {
        outage_.look(clock_.now(), RegistryOutage::Longest{.since = since_,
                                                           .url = "http://r",
                                                           .subject = "t-value",
                                                           .trouble = std::move(trouble)});
    }
    void look_at_nothing() { outage_.look(clock_.now(), std::nullopt); }
    double gauge() { return metrics_.gauge(Metric::registry_waiting).value(); }
    std::string take_lines() { return std::exchange(lines_.text, {}); }

    ManualClock clock_;
    LogText lines_;
    Log log_{{}, lines_, clock_};
    Metrics metrics_{"test"};
    RegistryOutage outage_{log_.logger("format"), metrics_};
    const Instant since_ = clock_.now();
    const Error refused_ = retry(Error::Category::connection, "Connection refused").at("http://r");
};

TEST_F(RegistryOutageTest, WhereNothingIsAskedThereIsNoOutage) {
    look_at_nothing();
    clock_.advance(10s);
    look_at_nothing();
    EXPECT_EQ(outage_.words(), "");
    EXPECT_EQ(outage_.next(), kNever);
    EXPECT_THAT(lines_.text, IsEmpty());
}

TEST_F(RegistryOutageTest, ItIsOneAfterASecond) {
    look();
    EXPECT_EQ(outage_.next(), clock_.now() + 1s);
    clock_.advance(999ms);
    look(refused_);
    EXPECT_EQ(outage_.words(), "");
    clock_.advance(1ms);
    look(refused_);
    EXPECT_EQ(outage_.words(),
              "the schema registry, asked about the subject \"t-value\": Connection refused "
              "(http://r); hint: start the registry, or correct format.registry.url");
    EXPECT_EQ(gauge(), 1);
    EXPECT_THAT(take_lines(), AllOf(HasSubstr("waiting for the schema registry"),
                                    HasSubstr("Connection refused (http://r)")));
    EXPECT_EQ(outage_.next(), clock_.now() + 30s);
}

TEST_F(RegistryOutageTest, IsLoggedNowAndThenAndWhenTheCauseIsKnown) {
    clock_.advance(1s);
    look();
    EXPECT_THAT(take_lines(), HasSubstr("it does not answer yet (http://r); hint: start"));
    clock_.advance(1s);
    look();
    EXPECT_THAT(take_lines(), IsEmpty());
    look(refused_);
    EXPECT_THAT(take_lines(), HasSubstr("Connection refused"));
    clock_.advance(29s);
    look(retry(Error::Category::server, "HTTP 500"));
    EXPECT_EQ(outage_.words(),
              "the schema registry, asked about the subject \"t-value\": HTTP 500; hint: the "
              "registry's own log may say more")
        << "status says what is so now";
    EXPECT_THAT(take_lines(), IsEmpty());
    clock_.advance(1s);
    look(refused_);
    EXPECT_THAT(take_lines(), HasSubstr("Connection refused"));
}

TEST_F(RegistryOutageTest, ItIsOverWithTheAnswer) {
    clock_.advance(90s);
    look(refused_);
    (void)take_lines();
    look_at_nothing();
    EXPECT_EQ(outage_.words(), "");
    EXPECT_EQ(gauge(), 0);
    EXPECT_THAT(take_lines(), AllOf(HasSubstr("the schema registry answers again"),
                                    HasSubstr("waited_ms=90000")));
    look_at_nothing();
    EXPECT_THAT(take_lines(), IsEmpty());
}

}  // namespace
}  // namespace pgc
