#include "pgclient/query_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_stream.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class QueryRunnerTest : public ::testing::Test {
protected:
    QueryRunner& runner() {
        if (!runner_) runner_.emplace(links, nullptr);
        return *runner_;
    }
    std::optional<QueryRunner::Answer> step() { return runner().step(clock.now()); }
    // Steps, letting time pass as far as is waited for.
    QueryRunner::Answer answer() {
        for (int i = 0; i < 1000; ++i) {
            if (auto done = step()) return std::move(*done);
            Wants wants;
            runner().wants(wants);
            EXPECT_NE(wants.deadline, kNever) << "waits without an end";
            if (wants.deadline > clock.now()) clock.advance(wants.deadline - clock.now());
        }
        return std::unexpected(stop(Error::Category::internal, "no end"));
    }
    void ask(bool may_repeat = true) {
        runner().ask({.text = "SELECT 1", .parameters = {}, .may_repeat = may_repeat}, clock.now());
    }
    static Error lost() { return retry(Error::Category::connection, "lost"); }

    ManualClock clock;
    FakeServer server;
    FakeStream stream;
    FakeStreamLinks links{server, stream};
    std::optional<QueryRunner> runner_;
};

TEST_F(QueryRunnerTest, AnswersAQuestion) {
    server.answers("SELECT 1", fake_row({{"one", "1"}}));
    EXPECT_TRUE(runner().free());
    ask();
    EXPECT_FALSE(runner().free());
    const auto got = answer();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->rows.at(0).at(0), "1");
    EXPECT_TRUE(runner().free());
}

TEST_F(QueryRunnerTest, ConnectsOnlyWhenThereIsSomethingToAsk) {
    EXPECT_FALSE(step());
    EXPECT_EQ(links.made, 0);
}

TEST_F(QueryRunnerTest, KeepsItsConnection) {
    server.answers("SELECT 1", Rows{});
    for (int i = 0; i < 3; ++i) {
        ask();
        EXPECT_TRUE(answer());
    }
    EXPECT_EQ(links.made, 1);
}

TEST_F(QueryRunnerTest, ARefusalIsAnAnswerAndTheConnectionLivesOn) {
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

TEST_F(QueryRunnerTest, AsksAgainOverANewConnectionWhenTheOldOneBreaks) {
    server.answers("SELECT 1", Rows{});
    server.rules.push_back({"SELECT 1", std::unexpected(lost()), "", 1});
    ask();
    EXPECT_TRUE(answer());
    EXPECT_EQ(links.made, 2);
    EXPECT_EQ(server.count("SELECT 1"), 2);
}

TEST_F(QueryRunnerTest, DoesNotAskAgainWhatMustNotBeRepeated) {
    server.refuses("SELECT 1", "", lost());
    ask(false);
    EXPECT_FALSE(answer());
    EXPECT_EQ(server.count("SELECT 1"), 1);
}

TEST_F(QueryRunnerTest, GivesUpOnAServerThatStaysAway) {
    server.refuses_to_connect.emplace(LinkFactory::Use::sql, lost());
    ask();
    const Instant asked = clock.now();
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().next, Error::Next::retry);
    EXPECT_GE(clock.now() - asked, QueryRunner::kPatience);
    EXPECT_LE(clock.now() - asked, QueryRunner::kPatience + 1s);
    EXPECT_GT(links.made, 10);
}

TEST_F(QueryRunnerTest, GivesUpAtOnceOnWhatOnlyAPersonCanFix) {
    server.refuses_to_connect.emplace(LinkFactory::Use::sql,
                                      stop(Error::Category::authentication, "who are you"));
    ask();
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().next, Error::Next::stop);
    EXPECT_EQ(links.made, 1);
}

TEST_F(QueryRunnerTest, TakesASilentServerForDead) {
    server.stays_silent_on("SELECT 1");
    ask(false);
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, HasSubstr("does not answer"));
}

TEST_F(QueryRunnerTest, TakesAConnectWithoutAnEndForFailed) {
    server.never_connects = true;
    ask(false);
    EXPECT_FALSE(answer());
}

// What is not to be asked twice would be lost with it, and nobody knew whether it arrived.
TEST_F(QueryRunnerTest, AConnectionThatEndedMeanwhileIsNoticedAndNotAsked) {
    server.answers("SELECT 1", fake_row({{"one", "1"}}));
    EXPECT_FALSE(runner().is_disturbed()) << "there is none";
    ask();
    ASSERT_TRUE(answer());
    EXPECT_FALSE(runner().is_disturbed());
    server.life = 2;
    EXPECT_TRUE(runner().is_disturbed());
    ask(false);
    EXPECT_TRUE(answer());
    EXPECT_EQ(links.made, 2);
    EXPECT_FALSE(runner().is_disturbed());
}

TEST_F(QueryRunnerTest, LendsItsConnectionAndTakesItBack) {
    const auto lent = runner().lend(clock.now());
    ASSERT_TRUE(lent && *lent);
    EXPECT_FALSE(runner().free());
    runner().give_back(false);
    EXPECT_TRUE(runner().free());
    ASSERT_TRUE(runner().lend(clock.now()));
    EXPECT_EQ(links.made, 1);
    runner().give_back(true);
    ASSERT_TRUE(runner().lend(clock.now()));
    EXPECT_EQ(links.made, 2);
}

TEST_F(QueryRunnerTest, LendsNothingWhileItConnects) {
    server.slow = true;
    const auto lent = runner().lend(clock.now());
    ASSERT_TRUE(lent);
    EXPECT_EQ(*lent, nullptr);
    EXPECT_TRUE(runner().connecting());
    const auto later = runner().lend(clock.now());
    ASSERT_TRUE(later);
    EXPECT_NE(*later, nullptr);
}

TEST_F(QueryRunnerTest, SaysWhenItLendsAgainAfterAConnectionWasLost) {
    EXPECT_LE(runner().lends_at(), clock.now());
    server.refuses_to_connect.emplace(LinkFactory::Use::sql, lost());
    EXPECT_FALSE(runner().lend(clock.now()));
    EXPECT_EQ(runner().lends_at(), clock.now() + QueryRunner::kPause);
    server.refuses_to_connect.clear();
    const auto early = runner().lend(clock.now());
    ASSERT_TRUE(early);
    EXPECT_EQ(*early, nullptr);
    EXPECT_EQ(links.made, 1);
    clock.advance(QueryRunner::kPause);
    const auto later = runner().lend(clock.now());
    ASSERT_TRUE(later);
    EXPECT_NE(*later, nullptr);
}

}  // namespace
}  // namespace pgc
