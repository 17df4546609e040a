#include "postgres/stream/inquiries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/played_stream.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class InquiriesTest : public ::testing::Test {
protected:
    Inquiries& inquiries() {
        if (!inquiries_) inquiries_.emplace(links, nullptr);
        return *inquiries_;
    }
    std::optional<Inquiries::Answer> step() { return inquiries().step(clock.now()); }
    // Steps, letting time pass as far as is waited for.
    Inquiries::Answer answer() {
        for (int i = 0; i < 1000; ++i) {
            if (auto done = step()) return std::move(*done);
            Wants wants;
            inquiries().wants(wants);
            EXPECT_NE(wants.deadline, kNever) << "waits without an end";
            if (wants.deadline > clock.now()) clock.advance(wants.deadline - clock.now());
        }
        return std::unexpected(stop(Error::Category::internal, "no end"));
    }
    void ask(bool may_repeat = true) {
        inquiries().ask({.text = "SELECT 1", .parameters = {}, .may_repeat = may_repeat},
                        clock.now());
    }
    static Error lost() { return retry(Error::Category::connection, "lost"); }

    ManualClock clock;
    PlayedServer server;
    PlayedStream stream;
    PlayedStreamLinks links{server, stream};
    std::optional<Inquiries> inquiries_;
};

TEST_F(InquiriesTest, AnswersAQuestion) {
    server.answers("SELECT 1", played_row({{"one", "1"}}));
    EXPECT_TRUE(inquiries().free());
    ask();
    EXPECT_FALSE(inquiries().free());
    const auto got = answer();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->rows.at(0).at(0), "1");
    EXPECT_TRUE(inquiries().free());
}

TEST_F(InquiriesTest, ConnectsOnlyWhenThereIsSomethingToAsk) {
    EXPECT_FALSE(step());
    EXPECT_EQ(links.made, 0);
}

TEST_F(InquiriesTest, KeepsItsConnection) {
    server.answers("SELECT 1", Rows{});
    for (int i = 0; i < 3; ++i) {
        ask();
        EXPECT_TRUE(answer());
    }
    EXPECT_EQ(links.made, 1);
}

TEST_F(InquiriesTest, ARefusalIsAnAnswerAndTheConnectionLivesOn) {
    server.refuses("SELECT 1", "42501", stop(Error::Category::permission, "no"));
    ask();
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().category, Error::Category::permission);
    server.answers("SELECT 1", Rows{});
    ask();
    EXPECT_TRUE(answer());
    EXPECT_EQ(links.made, 1);
}

TEST_F(InquiriesTest, AsksAgainOverANewConnectionWhenTheOldOneBreaks) {
    server.answers("SELECT 1", Rows{});
    server.rules.push_back({"SELECT 1", std::unexpected(lost()), "", 1});
    ask();
    EXPECT_TRUE(answer());
    EXPECT_EQ(links.made, 2);
    EXPECT_EQ(server.count("SELECT 1"), 2);
}

TEST_F(InquiriesTest, DoesNotAskAgainWhatMustNotBeRepeated) {
    server.refuses("SELECT 1", "", lost());
    ask(false);
    EXPECT_FALSE(answer());
    EXPECT_EQ(server.count("SELECT 1"), 1);
}

TEST_F(InquiriesTest, GivesUpOnAServerThatStaysAway) {
    server.refuses_to_connect.emplace(LinkFactory::Use::sql, lost());
    ask();
    const Instant asked = clock.now();
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().next, Error::Next::retry);
    EXPECT_GE(clock.now() - asked, Inquiries::kPatience);
    EXPECT_LE(clock.now() - asked, Inquiries::kPatience + 1s);
    EXPECT_GT(links.made, 10);
}

TEST_F(InquiriesTest, GivesUpAtOnceOnWhatOnlyAPersonCanMend) {
    server.refuses_to_connect.emplace(LinkFactory::Use::sql,
                                      stop(Error::Category::authentication, "who are you"));
    ask();
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().next, Error::Next::stop);
    EXPECT_EQ(links.made, 1);
}

TEST_F(InquiriesTest, TakesASilentServerForDead) {
    server.stays_silent_on("SELECT 1");
    ask(false);
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, HasSubstr("does not answer"));
}

TEST_F(InquiriesTest, TakesAConnectWithoutAnEndForFailed) {
    server.never_connects = true;
    ask(false);
    EXPECT_FALSE(answer());
}

TEST_F(InquiriesTest, LendsItsConnectionAndTakesItBack) {
    const auto lent = inquiries().lend(clock.now());
    ASSERT_TRUE(lent && *lent);
    EXPECT_FALSE(inquiries().free());
    inquiries().give_back(false);
    EXPECT_TRUE(inquiries().free());
    ASSERT_TRUE(inquiries().lend(clock.now()));
    EXPECT_EQ(links.made, 1);
    inquiries().give_back(true);
    ASSERT_TRUE(inquiries().lend(clock.now()));
    EXPECT_EQ(links.made, 2);
}

TEST_F(InquiriesTest, LendsNothingWhileItConnects) {
    server.slow = true;
    const auto lent = inquiries().lend(clock.now());
    ASSERT_TRUE(lent);
    EXPECT_EQ(*lent, nullptr);
    EXPECT_TRUE(inquiries().connecting());
    const auto later = inquiries().lend(clock.now());
    ASSERT_TRUE(later);
    EXPECT_NE(*later, nullptr);
}

}  // namespace
}  // namespace pgc
