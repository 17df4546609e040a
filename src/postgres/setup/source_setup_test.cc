#include "postgres/setup/source_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/healthy_server.h"
#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class SourceSetupTest : public testing::Test {
protected:
    void SetUp() override {
        is_healthy(server, "a");
        server.answers("CREATE PUBLICATION", Rows{});
        server.answers("CREATE_REPLICATION_SLOT", fake_row({{"slot_name", "shop_slot"},
                                                            {"consistent_point", "0/400"},
                                                            {"snapshot_name", std::nullopt},
                                                            {"output_plugin", "pgoutput"}}));
    }

    void slot_missing() { server.answers("pg-capture: slots */", no_slots()); }
    void slot_read_by(const std::string& reader) {
        server.answers("pg-capture: slots */",
                       fake_slot({{"active", "t"}, {"pid", "99"}, {"reader", reader}}));
    }

    SourceSetup& setup() {
        if (!opened) opened.emplace(config, links, clock, log.logger("postgres"), task);
        return *opened;
    }
    // Steps, letting time pass up to what the opening waits for, until it is through.
    Result<void> open() {
        for (int i = 0; i < 1000; ++i) {
            auto done = setup().step();
            if (!done) return std::unexpected(done.error());
            if (*done) return {};
            pass_time();
        }
        return std::unexpected(stop(Error::Category::internal, "no end"));
    }
    void pass_time() {
        Wants wants;
        setup().wants(wants);
        EXPECT_NE(wants.deadline, kNever) << "waits without an end";
        if (server.slow && !wants.interests.empty()) return;  // the answer comes first
        if (wants.deadline > clock.now()) clock.advance(wants.deadline - clock.now());
    }
    Error error() {
        const auto outcome = open();
        EXPECT_FALSE(outcome) << "opened";
        return outcome ? Error{} : outcome.error();
    }

    ManualClock clock;
    LogText lines;
    Log log{LogOptions{}, lines, clock};
    PostgresConfig config = shop_config();
    SourceSetupTask task;
    FakeServer server;
    FakeLinks links{server};
    std::optional<SourceSetup> opened;
};

TEST_F(SourceSetupTest, FindsEverythingInPlace) {
    ASSERT_TRUE(open());
    const auto& identity = setup().identity();
    EXPECT_EQ(identity.system, "77");
    EXPECT_EQ(identity.timeline, 1U);
    EXPECT_EQ(identity.database, "shop");
    EXPECT_EQ(identity.slot, "shop_slot");
    EXPECT_FALSE(identity.slot_is_new);
    EXPECT_EQ(identity.slot_confirmed, Lsn{0x200});
    EXPECT_EQ(identity.server_end, Lsn{0x500});
    EXPECT_EQ(server.count("CREATE PUBLICATION"), 0);
    EXPECT_EQ(server.count("CREATE_REPLICATION_SLOT"), 0);
    EXPECT_TRUE(setup().replication_link());
    EXPECT_TRUE(setup().sql_link());
}

TEST_F(SourceSetupTest, NothingIsMadeWhereThePositionDoesNotBelong) {
    slot_missing();
    task.may_create_slot = task.may_replace_slot = true;
    task.home = SourceHome{.system = "66", .database = "shop"};
    ASSERT_TRUE(open());
    EXPECT_EQ(setup().identity().system, "77");
    EXPECT_TRUE(setup().identity().slot_is_gone);
    EXPECT_EQ(server.said.size(), 2U) << "who it is, and no more";
    opened.reset();
    server.said.clear();
    task.home = SourceHome{.system = "77", .database = "bank"};
    ASSERT_TRUE(open());
    EXPECT_EQ(server.said.size(), 2U);
    opened.reset();
    task.home = SourceHome{.system = "77", .database = "shop"};
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().identity().slot_is_new);
}

TEST_F(SourceSetupTest, TwoPhaseIsTurnedOffWhereTheServerLetsUs) {
    server.version = 180006;
    server.answers_once("pg-capture: slots */", fake_slot({{"two_phase", "t"}}));
    server.answers("ALTER_REPLICATION_SLOT", Rows{});
    server.answers("ALTER PUBLICATION", Rows{});
    ASSERT_TRUE(open());
    EXPECT_EQ(server.count("ALTER_REPLICATION_SLOT \"shop_slot\" (TWO_PHASE false)"), 1);
    EXPECT_THAT(lines.text, HasSubstr("turned off"));
}

TEST_F(SourceSetupTest, TwoPhaseIsRefusedWhereItCantBeTurnedOff) {
    server.version = 170011;
    server.answers("pg-capture: slots */", fake_slot({{"two_phase", "t"}}));
    EXPECT_THAT(error().what, HasSubstr("two_phase"));
    opened.reset();
    server.version = 180006;
    task.look_only = true;
    EXPECT_THAT(error().what, HasSubstr("two_phase"));
}

TEST_F(SourceSetupTest, WithTwoPhaseTheSlotIsMadeWithIt) {
    config.two_phase = true;
    slot_missing();
    ASSERT_TRUE(open());
    EXPECT_EQ(server.count("CREATE_REPLICATION_SLOT \"shop_slot\" LOGICAL pgoutput "
                           "(SNAPSHOT 'nothing', TWO_PHASE true)"),
              1);
    EXPECT_TRUE(setup().plan().two_phase);
}

TEST_F(SourceSetupTest, WithTwoPhaseASlotThatHasItOffIsTurnedOnByTheStream) {
    config.two_phase = true;
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().plan().two_phase);
    EXPECT_THAT(lines.text, HasSubstr("turned on"));
    opened.reset();
    task.look_only = true;
    ASSERT_TRUE(open());
    EXPECT_FALSE(setup().plan().two_phase) << "who only looks alters nothing";
    opened.reset();
    server.answers("pg-capture: slots */", fake_slot({{"two_phase", "t"}}));
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().plan().two_phase);
}

TEST_F(SourceSetupTest, TwoPhaseIsRefusedBeforeFifteen) {
    config.two_phase = true;
    server.version = 140024;
    const Error refused = error();
    EXPECT_THAT(refused.what, HasSubstr("needs PostgreSQL 15 or later"));
    EXPECT_THAT(refused.hint, HasSubstr("source.two_phase"));
}

TEST_F(SourceSetupTest, PlansTheStreamForTheServer) {
    ASSERT_TRUE(open());
    const auto& plan = setup().plan();
    EXPECT_EQ(plan.server_version, 150018);
    EXPECT_EQ(plan.protocol_version, 3);
    EXPECT_TRUE(plan.binary);
    EXPECT_TRUE(plan.messages);
    EXPECT_TRUE(plan.maintained);
    EXPECT_FALSE(plan.filter_tables);
    EXPECT_EQ(plan.wal_sender_timeout, seconds{20});
}

TEST_F(SourceSetupTest, OldServersGetNeitherBinaryNorMessages) {
    server.version = 100023;
    ASSERT_TRUE(open());
    const auto& plan = setup().plan();
    EXPECT_EQ(plan.protocol_version, 1);
    EXPECT_FALSE(plan.binary);
    EXPECT_FALSE(plan.messages);
    EXPECT_EQ(plan.wal_sender_timeout, seconds{60});
    EXPECT_EQ(server.count("published types"), 0);
}

TEST_F(SourceSetupTest, LateAnswersAreWaitedFor) {
    server.slow = true;
    slot_missing();
    ASSERT_TRUE(open());
}

TEST_F(SourceSetupTest, ThePublicationIsMadeBeforeTheSlot) {
    slot_missing();
    server.answers_once("pg-capture: publication */", no_publication());
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().identity().slot_is_new);
    EXPECT_EQ(setup().identity().slot_confirmed, Lsn{0x400});
    ASSERT_GE(server.place("CREATE PUBLICATION"), 0);
    EXPECT_LT(server.place("CREATE PUBLICATION"), server.place("CREATE_REPLICATION_SLOT"));
}

TEST_F(SourceSetupTest, ASlotWithoutItsPublicationStops) {
    server.answers("pg-capture: publication */", no_publication());
    const auto e = error();
    EXPECT_EQ(e.category, Error::Category::position);
    EXPECT_EQ(e.next, Error::Next::stop);
    EXPECT_EQ(server.count("CREATE PUBLICATION"), 0);
}

TEST_F(SourceSetupTest, ASlotThatWasReadBeforeIsNotMadeAnew) {
    slot_missing();
    task.may_create_slot = false;
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().identity().slot_is_gone);
    EXPECT_EQ(server.count("CREATE_REPLICATION_SLOT"), 0);
    EXPECT_EQ(server.count("CREATE PUBLICATION"), 0);
}

TEST_F(SourceSetupTest, ALostSlotStops) {
    server.answers("pg-capture: slots */", fake_slot({{"wal_status", "lost"}}));
    EXPECT_EQ(error().next, Error::Next::stop);
}

TEST_F(SourceSetupTest, FailoverSlotsAreMadeWhereTheyExist) {
    slot_missing();
    server.version = 170006;
    ASSERT_TRUE(open());
    EXPECT_EQ(server.count("FAILOVER true"), 1);
}

TEST_F(SourceSetupTest, OurOwnStaleReaderIsEnded) {
    slot_read_by("pg-capture 1 shop_slot");
    server.answers("end stale reader */", fake_row({{"ended", "t"}}));
    // Gone once it has been ended.
    server.answers("pg-capture: slots */", fake_slot());
    server.answers_once("pg-capture: slots */",
                        fake_slot({{"active", "t"}, {"pid", "99"}, {"reader", "pg-capture"}}));
    ASSERT_TRUE(open());
    EXPECT_EQ(server.count("end stale reader"), 1);
    EXPECT_THAT(lines.text, HasSubstr("ended a session of ours"));
}

TEST_F(SourceSetupTest, AnybodyElsesReaderIsWaitedForAndThenNamed) {
    slot_read_by("debezium");
    server.answers("end stale reader */", fake_rows({"ended"}, {}));
    const Instant begin = clock.now();
    const auto e = error();
    EXPECT_EQ(e.next, Error::Next::retry);
    EXPECT_THAT(e.what, HasSubstr("is active for PID 99 (debezium)"));
    EXPECT_GE(clock.now() - begin, seconds{3});
    EXPECT_LT(clock.now() - begin, seconds{5});
}

TEST_F(SourceSetupTest, AReaderThatLeavesInTimeIsNoError) {
    server.answers("end stale reader */", fake_rows({"ended"}, {}));
    server.answers_once("pg-capture: slots */",
                        fake_slot({{"active", "t"}, {"pid", "99"}, {"reader", "other"}}));
    EXPECT_TRUE(open());
}

TEST_F(SourceSetupTest, NoConnectionInTimeIsRetriedAndSaysWhere) {
    server.never_connects = true;
    const Instant begin = clock.now();
    const auto e = error();
    EXPECT_EQ(e.next, Error::Next::retry);
    EXPECT_THAT(e.what, HasSubstr("within 30 s"));
    EXPECT_EQ(e.where, "db:5432");
    EXPECT_GE(clock.now() - begin, seconds{30});
}

TEST_F(SourceSetupTest, AWrongWalLevelIsToldBeforeAnythingElseGoesWrong) {
    server.answers("pg-capture: server */", fake_facts({{"wal_level", "replica"}}));
    server.refuses_to_connect.emplace(
        LinkFactory::Use::replication,
        retry(Error::Category::server, "number of requested standby connections exceeds"));
    EXPECT_THAT(error().hint, HasSubstr("wal_level = logical"));
}

TEST_F(SourceSetupTest, ARefusedReplicationLinkIsAnError) {
    server.refuses_to_connect.emplace(LinkFactory::Use::replication,
                                      stop(Error::Category::permission, "no REPLICATION"));
    EXPECT_EQ(error().what, "no REPLICATION");
}

TEST_F(SourceSetupTest, AnOldServerIsRefusedBeforeItIsAsked) {
    server.version = 90624;
    EXPECT_THAT(error().what, HasSubstr("9.6"));
    EXPECT_TRUE(server.said.empty());
}

TEST_F(SourceSetupTest, TheHistoryOfALaterTimelineIsAskedFor) {
    server.answers("IDENTIFY_SYSTEM", fake_system("2"));
    server.answers("TIMELINE_HISTORY 2",
                   fake_row({{"filename", "x"}, {"content", "1\t0/300\tr\n"}}));
    ASSERT_TRUE(open());
    ASSERT_EQ(setup().identity().history.size(), 1U);
    EXPECT_EQ(setup().identity().history[0].at, Lsn{0x300});
}

TEST_F(SourceSetupTest, AHistoryThatIsGoneIsLivedWith) {
    server.answers("IDENTIFY_SYSTEM", fake_system("2"));
    server.refuses("TIMELINE_HISTORY", "58P01", stop(Error::Category::position, "no such file"));
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().identity().history.empty());
    EXPECT_THAT(lines.text, HasSubstr("history"));
}

TEST_F(SourceSetupTest, CreatingASlotTellsWhatItWaitsForAndGivesUpInTheEnd) {
    slot_missing();
    server.stays_silent_on("CREATE_REPLICATION_SLOT");
    server.answers("pg_terminate_backend(4711)", Rows{});
    const Instant begin = clock.now();
    const auto e = error();
    EXPECT_EQ(e.next, Error::Next::retry);
    EXPECT_THAT(e.hint, HasSubstr("pg_stat_activity"));
    EXPECT_THAT(lines.text, HasSubstr("waits for transactions"));
    EXPECT_GE(clock.now() - begin, minutes{10});
    EXPECT_EQ(server.count("pg_terminate_backend(4711)"), 1);
}

TEST_F(SourceSetupTest, OnAStandbyTheSlotWaitsForThePrimary) {
    slot_missing();
    server.version = 160004;
    server.answers("pg-capture: server */", fake_facts({{"standby", "t"}}));
    server.stays_silent_on("CREATE_REPLICATION_SLOT");
    server.answers("pg_terminate_backend(4711)", Rows{});
    EXPECT_THAT(error().hint, HasSubstr("pg_log_standby_snapshot"));
}

TEST_F(SourceSetupTest, AServerThatFallsSilentIsRetried) {
    server.stays_silent_on("pg-capture: slots");
    EXPECT_EQ(error().next, Error::Next::retry);
}

TEST_F(SourceSetupTest, ASlotMadeBySomebodyMeanwhileIsLookedAtAgain) {
    slot_missing();
    server.refuses("CREATE_REPLICATION_SLOT", "42710",
                   stop(Error::Category::server, "replication slot already exists"));
    EXPECT_EQ(error().next, Error::Next::retry);
}

TEST_F(SourceSetupTest, ATypeWithoutKnownBinaryFormMakesItText) {
    // The catalog does not know the second.
    server.answers("published types */", fake_row({{"types", "{23,99999}"}}));
    server.answers("pg-capture: table facts */",
                   fake_rows({"what", "oid", "schema", "name", "kind", "category", "element",
                              "base", "subtype", "range", "delimiter", "sendable", "place"},
                             {}));
    ASSERT_TRUE(open());
    EXPECT_FALSE(setup().plan().binary);
    EXPECT_THAT(lines.text, HasSubstr("taken as text"));
}

TEST_F(SourceSetupTest, TextIsKeptToOnceItWasNeeded) {
    task.text_only = true;
    ASSERT_TRUE(open());
    EXPECT_FALSE(setup().plan().binary);
}

TEST_F(SourceSetupTest, WhatHadNoBinaryFormIsTextUntilTheSlotHasPassedIt) {
    ASSERT_TRUE(open());
    const Lsn slot = setup().identity().slot_confirmed;
    opened.reset();
    task.text_until = Lsn{slot.value + 1};
    ASSERT_TRUE(open());
    EXPECT_FALSE(setup().plan().binary);
    EXPECT_TRUE(setup().plan().text_for_now);
    opened.reset();
    task.text_until = slot;
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().plan().binary);
    EXPECT_FALSE(setup().plan().text_for_now);
}

TEST_F(SourceSetupTest, BinaryCanBeForgone) {
    config.binary = false;
    ASSERT_TRUE(open());
    EXPECT_FALSE(setup().plan().binary);
}

TEST_F(SourceSetupTest, NoColumnsAtAllAreBinaryToo) {
    server.answers("published types */", fake_row({{"types", std::nullopt}}));
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().plan().binary);
}

TEST_F(SourceSetupTest, PlainTextOverTheNetworkIsWarnedAbout) {
    server.local = false;
    ASSERT_TRUE(open());
    EXPECT_THAT(lines.text, HasSubstr("not encrypted"));
    opened.reset();
    lines.text.clear();
    server.encrypted = true;
    ASSERT_TRUE(open());
    EXPECT_THAT(lines.text, testing::Not(HasSubstr("not encrypted")));
}

TEST_F(SourceSetupTest, ServersWithKnownBugsAreWarnedAbout) {
    server.version = 150004;
    ASSERT_TRUE(open());
    EXPECT_THAT(lines.text, HasSubstr("has a bug"));
}

TEST_F(SourceSetupTest, ASlotAboutToBeLostIsWarnedAbout) {
    server.answers("pg-capture: slots */", fake_slot({{"wal_status", "unreserved"}}));
    ASSERT_TRUE(open());
    EXPECT_THAT(lines.text, HasSubstr("about to be lost"));
}

TEST_F(SourceSetupTest, APublicationOfOthersIsFilteredByUs) {
    server.answers("pg-capture: publication */", fake_publication({{"note", std::nullopt}}));
    ASSERT_TRUE(open());
    EXPECT_TRUE(setup().plan().filter_tables);
    EXPECT_FALSE(setup().plan().maintained);
}

TEST_F(SourceSetupTest, WaitsOnlyForWhatItAskedFor) {
    server.slow = true;
    ASSERT_TRUE(setup().step().has_value());
    Wants wants;
    setup().wants(wants);
    EXPECT_EQ(wants.interests.size(), 2U);  // both links connect at once
}

}  // namespace
}  // namespace pgc
