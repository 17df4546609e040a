#include "postgres/source/postgres_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(PostgresSourceTest, OpensStartsAndReads) {
    start();
    EXPECT_EQ(source().identity().slot, "shop_slot");
    EXPECT_EQ(server.count("START_REPLICATION SLOT \"shop_slot\" LOGICAL 0/200"), 1);
    sends_transaction(Lsn{0x300});
    rounds();
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].relation->name, "users");
    EXPECT_EQ(batch.resume_at, Lsn{0x308});
}

TEST_F(PostgresSourceTest, OfAPrimaryEverythingIsCertain) {
    start();
    EXPECT_EQ(source().certain_until(), std::nullopt);
    EXPECT_EQ(server.count("pg-capture: replayed"), 0);
}

TEST_F(PostgresSourceTest, OfAStandbyIsCertainWhatItHadReplayedOnTheTimelineWeKnow) {
    is_a_standby();
    open();
    EXPECT_EQ(source().identity().timeline, 1U);
    ASSERT_TRUE(source().start(kFrom, {}));
    clock.advance(TimelineWatch::kEvery);
    ASSERT_TRUE(service());
    EXPECT_EQ(source().certain_until(), Lsn{0x480});
    server.answers("IDENTIFY_SYSTEM", fake_system("2"));
    clock.advance(TimelineWatch::kEvery);
    const auto reported = service();
    ASSERT_FALSE(reported);
    EXPECT_EQ(reported.error().next, Error::Next::retry);
    EXPECT_EQ(source().certain_until(), Lsn{0x480});
}

// Making a slot waits for transactions, for as long as they like.
TEST_F(PostgresSourceTest, AStandbyThatIsPromotedWhileItsSlotIsMadeIsConnectedToAnew) {
    is_a_standby();
    server.answers("IDENTIFY_SYSTEM", fake_system("2"));
    server.answers_once(
        "IDENTIFY_SYSTEM",
        fake_row(
            {{"systemid", "77"}, {"timeline", "1"}, {"xlogpos", "0/500"}, {"dbname", "shop"}}));
    for (int i = 0; i < 100; ++i) {
        const auto done = source().open();
        if (!done) {
            EXPECT_EQ(done.error().next, Error::Next::retry);
            EXPECT_THAT(done.error().what, HasSubstr("from timeline 1 to 2"));
            return;
        }
        ASSERT_FALSE(*done) << "its place would be stored under the old timeline";
    }
    FAIL() << "no end";
}

TEST_F(PostgresSourceTest, AStandbysSlotIsNotStoredBeforeItsPlaceIsCertain) {
    is_a_standby();
    server.answers("pg-capture: replayed */",
                   fake_row({{"in_recovery", "t"}, {"replayed", "0/1"}}));
    for (int i = 0; i < 10; ++i) {
        const auto done = source().open();
        ASSERT_TRUE(done) << describe(done.error());
        ASSERT_FALSE(*done);
        clock.advance(TimelineWatch::kEvery);
    }
    is_a_standby();
    open();
    EXPECT_EQ(source().certain_until(), Lsn{0x480});
}

TEST_F(PostgresSourceTest, ReadsNothingBeforeTheSlotWasLookedAtAgain) {
    server.slow = false;
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    sends_transaction(Lsn{0x300});
    const auto read = source().read(batch, 100, 1000);
    EXPECT_EQ(read, Source::Read::caught_up);
    EXPECT_TRUE(batch.empty());
    EXPECT_TRUE(stream.reported.empty());
}

// Whether something is missing, or our successor has moved the slot, is decided by the start guard.
TEST_F(PostgresSourceTest, ReadsAndConfirmsNothingWhereTheServerSkippedWhatWeNeed) {
    healthy("0/280");
    sends_transaction(Lsn{0x300});
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    const auto serviced = service();
    ASSERT_FALSE(serviced);
    EXPECT_EQ(serviced.error().next, Error::Next::retry);
    EXPECT_THAT(serviced.error().what, HasSubstr("moved on to 0/280 while we asked for 0/200"));
    const auto read = source().read(batch, 100, 1 << 20);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, Source::Read::caught_up);
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(source().idle_at(), std::nullopt);
    EXPECT_TRUE(stream.reported.empty()) << "nothing is to be confirmed";
}

TEST_F(PostgresSourceTest, SaysWhichSlotWasRefused) {
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    stream.refuses = stop(Error::Category::position, "can no longer get changes");
    const auto serviced = service();
    ASSERT_FALSE(serviced);
    EXPECT_THAT(serviced.error().where, HasSubstr("shop_slot"));
    EXPECT_THAT(serviced.error().hint, HasSubstr("pg-capture position reset --drop-slot"));
    EXPECT_THAT(serviced.error().hint, HasSubstr("are lost"));
}

TEST_F(PostgresSourceTest, ARefusedSlotThatMayBeReplacedIsLeftToTheNextAttempt) {
    made.emplace(PostgresSource::Deps{.config = config,
                                      .links = links,
                                      .clock = clock,
                                      .metrics = metrics,
                                      .logger = log.logger("postgres"),
                                      .carry_over = carry_over,
                                      .may_replace_slot = true});
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    stream.refuses = stop(Error::Category::position, "can no longer get changes");
    EXPECT_EQ(service().error().next, Error::Next::retry);
    stream.refuses = stop(Error::Category::position, "no publication").with_hint("make it");
    EXPECT_EQ(service().error().next, Error::Next::stop);
}

// Such as a division by zero in somebody's row filter, or what no line of ours knows.
class AnErrorOfTheServer : public PostgresSourceTest,
                           public ::testing::WithParamInterface<ServerReport> {};

TEST_P(AnErrorOfTheServer, CostsNobodyTheSlot) {
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    stream.refuses = server_error(GetParam());
    const auto serviced = service();
    ASSERT_FALSE(serviced);
    EXPECT_EQ(serviced.error().category, Error::Category::server);
    EXPECT_THAT(serviced.error().hint, HasSubstr("nothing is lost"));
    EXPECT_THAT(serviced.error().hint, Not(HasSubstr("drop")));
}

INSTANTIATE_TEST_SUITE_P(
    ServerErrors, AnErrorOfTheServer,
    ::testing::Values(ServerReport{"22012", "division by zero"},
                      ServerReport{"42P10", "a column list is not valid"},
                      ServerReport{"42P17", "a definition is not valid"},
                      ServerReport{"58P01", "could not access file \"pgoutput\""},
                      ServerReport{"55000", "the prerequisites of something are not met"}));

TEST_F(PostgresSourceTest, AsksTheCatalogOnceForATable) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    stream.sends(testing::begin(Lsn{0x400}, 3));
    stream.sends(testing::insert(Lsn{0x400}, kUsers, {"2", "x"}));
    stream.sends(testing::commit(Lsn{0x400}, Lsn{0x408}));
    rounds();
    EXPECT_EQ(server.count("pg-capture: table facts"), 1);
    EXPECT_EQ(batch.changes.size(), 2U);
}

TEST_F(PostgresSourceTest, CountsASchemaChange) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    stream.sends(testing::begin(Lsn{0x400}, 3));
    stream.sends(testing::relation(kUsers, "public", "users", 'd',
                                   {{"id", 23, true}, {"bio", 25}, {"age", 23}}));
    rounds();
    EXPECT_EQ(metrics.counter(Metric::schema_changes_total, {"public.users"}).value(), 1U);
}

TEST_F(PostgresSourceTest, GoesOnWhenTheSqlConnectionDied) {
    start();
    server.answers("pg-capture: table facts */", fake_id_key());
    server.rules.push_back(
        {"table facts */", std::unexpected(retry(Error::Category::connection, "cut")), "", 1});
    const int before = links.made;
    sends_transaction(Lsn{0x300});
    for (int i = 0; i < 10 && batch.changes.empty(); ++i) {
        ASSERT_TRUE(round());
        clock.advance(200ms);
    }
    EXPECT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(links.made, before + 1);
}

TEST_F(PostgresSourceTest, StopsLoudlyWhenThePublicationIsGone) {
    start();
    rounds();
    healthy("0/200", "f");
    clock.advance(SlotHealth::kInterval);
    const auto serviced = service();
    ASSERT_FALSE(serviced);
    EXPECT_EQ(serviced.error().next, Error::Next::stop);
    EXPECT_THAT(serviced.error().where, HasSubstr("publication pub"));
}

TEST_F(PostgresSourceTest, AHealthQueryThatFailsIsOnlyLogged) {
    start();
    server.refuses("pg-capture: slot health */", "57014",
                   retry(Error::Category::server, "cancelled"));
    clock.advance(SlotHealth::kInterval);
    EXPECT_TRUE(service());
    EXPECT_THAT(lines.text, HasSubstr("health"));
}

TEST_F(PostgresSourceTest, ShowsTheSlotsHealth) {
    start();
    EXPECT_EQ(metrics.gauge(Metric::slot_active).value(), 1);
    EXPECT_EQ(metrics.gauge(Metric::slot_retained_bytes).value(), 1024);
    EXPECT_EQ(source().server_end(), Lsn{0x500});
}

TEST_F(PostgresSourceTest, TheHeartbeatBeats) {
    config.heartbeat_interval = 3s;
    config.heartbeat_sql = "UPDATE public.beat SET at = now()";
    server.answers("public.beat", Rows{});
    start();
    EXPECT_EQ(server.count("public.beat"), 0);
    for (int i = 0; i < 3; ++i) {
        clock.advance(3s);
        rounds(2);
    }
    EXPECT_EQ(server.count("public.beat"), 3);
}

TEST_F(PostgresSourceTest, AHeartbeatThatFailsIsOnlyLogged) {
    config.heartbeat_interval = 3s;
    config.heartbeat_sql = "UPDATE public.beat SET at = now()";
    server.refuses("public.beat", "42P01", stop(Error::Category::server, "no such table"));
    start();
    clock.advance(3s);
    rounds(2);
    EXPECT_THAT(lines.text, HasSubstr("heartbeat"));
}

TEST_F(PostgresSourceTest, SaysOnceThatMoreTablesAreCapturedThanCanBeRemembered) {
    open();
    std::string known = "\ncaptured 1";
    for (int i = 0; i < 140'000; ++i) known += ",1";
    source().recall(known);
    EXPECT_EQ(source().memory(), "");
    EXPECT_EQ(source().memory(), "");
    const std::string& text = lines.text;
    const auto first = text.find("more tables are captured than can be remembered");
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_EQ(text.find("more tables are captured", first + 1), std::string::npos) << text;
}

TEST_F(PostgresSourceTest, MayBeClosedBeforeItStreams) {
    open();
    EXPECT_EQ(source().close(), true);
}

TEST_F(PostgresSourceTest, MayBeDestroyedAtAnyMoment) {
    start();
    sends_transaction(Lsn{0x300});
    ASSERT_TRUE(round());
    made.reset();  // with messages kept back and a question asked
}

}  // namespace
}  // namespace pgc
