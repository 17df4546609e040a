#include "postgres/source/postgres_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/byte_cursor.h"
#include "pgclient/server_errors.h"
#include "support/fake_stream.h"
#include "support/manual_clock.h"
#include "support/walsender_messages.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kUsers = 16384;
constexpr Lsn kFrom{0x200};

class Silence final : public LogLines {
public:
    void write(std::string_view line) noexcept override { text += line; }
    std::string text;
};

class PostgresSourceTest : public ::testing::Test {
protected:
    PostgresSourceTest() {
        config.publication = "pub";
        config.pipeline = "shop";
        config.slot = "shop_slot";
        config.connection.hosts = {{"db", 5432}};
        config.connection.database = "shop";
        config.connection.connect_timeout = 30s;
        config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, {}};
        config.manage_publication = false;
        server.local = false;
        server.answers("pg-capture: server */", fake_facts());
        server.answers(
            "IDENTIFY_SYSTEM",
            fake_row(
                {{"systemid", "77"}, {"timeline", "1"}, {"xlogpos", "0/500"}, {"dbname", "shop"}}));
        server.answers("pg-capture: slots */", fake_slot());
        server.answers("publication signature */", fake_row({{"signature", "x"}}));
        server.answers("pg-capture: publication */", fake_publication());
        server.answers("publication of inserts */", no_publication());
        server.answers("publication members */", fake_members({}));
        server.answers("pg-capture: tables */",
                       fake_tables({{.schema = "public", .name = "users"}}));
        server.answers("published tables */", fake_published({{"public", "users"}}));
        server.answers("published types */", fake_row({{"types", "{23,25}"}}));
        healthy();
        server.answers("pg-capture: table facts */", users_key());
    }

    static Rows users_key() {
        return fake_rows({}, {{"k", "0", "", "id", "", "", "0", "0", "0", "0", "", "", "1"}});
    }
    void is_a_standby() {
        server.version = 170011;
        server.answers("pg-capture: server */",
                       fake_facts({{"version", "17.11"}, {"standby", "t"}}));
        server.answers("pg-capture: replayed */",
                       fake_row({{"in_recovery", "t"}, {"replayed", "0/480"}}));
    }
    void healthy(std::string confirmed = "0/200", std::string publication = "t") {
        server.answers("pg-capture: slot health */",
                       fake_rows({}, {{"t", "t", "0/100", confirmed, "reserved", std::nullopt,
                                       std::nullopt, publication, "0/500", "1024"}}));
    }

    PostgresSource& source() {
        if (!made) {
            made.emplace(PostgresSource::Deps{.config = config,
                                              .links = links,
                                              .clock = clock,
                                              .metrics = metrics,
                                              .logger = log.logger("postgres"),
                                              .carry_over = carry_over,
                                              .keepalive_interval = 10s});
        }
        return *made;
    }
    void open() {
        for (int i = 0; i < 1000; ++i) {
            const auto done = source().open();
            ASSERT_TRUE(done) << describe(done.error());
            if (*done) return;
            Wants wants;
            source().wants(wants, true);
            if (wants.deadline != kNever && wants.deadline > clock.now()) {
                clock.advance(wants.deadline - clock.now());
            }
        }
        FAIL() << "no end";
    }
    void start() {
        open();
        ASSERT_TRUE(source().start(kFrom, {}));
        ASSERT_TRUE(service());
        stream.reported.clear();
    }
    Result<void> service() { return source().service(); }
    // A round of the pipeline.
    Result<Source::Read> round(std::size_t max_changes = 100) {
        if (auto done = service(); !done) return std::unexpected(done.error());
        return source().read(batch, max_changes, 1 << 20);
    }
    void rounds(int n = 3) {
        for (int i = 0; i < n; ++i) {
            const auto done = round();
            ASSERT_TRUE(done) << describe(done.error());
        }
    }
    // What is requested then is paused: nobody here reads rows.
    void look_for_tables() {
        clock.advance(config.tables_refresh);
        const std::string before = source().snapshot_progress();
        for (int i = 0; i < 40 && source().snapshot_progress() == before; ++i) {
            ASSERT_TRUE(service());
        }
        source().request({.verb = SnapshotCommand::Verb::pause, .request = {}});
    }
    void sends_users() {
        stream.sends(
            testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}, {"bio", 25}}));
    }
    // A transaction of one row; the table is announced in it.
    void sends_transaction(Lsn commit) {
        stream.sends(testing::begin(commit, 2));
        sends_users();
        stream.sends(testing::insert(commit, kUsers, {"1", "x"}));
        stream.sends(testing::commit(commit, Lsn{commit.value + 8}));
    }
    struct Reported {
        Lsn write, flush;
        bool reply = false;
    };
    Reported last_feedback() const {
        if (stream.reported.empty()) return {};
        ByteCursor in{stream.reported.back()};
        in.take(1);
        Reported reported;
        reported.write = Lsn{in.read<std::uint64_t>()};
        reported.flush = Lsn{in.read<std::uint64_t>()};
        in.take(16);
        reported.reply = in.read<std::uint8_t>() != 0;
        return reported;
    }

    ManualClock clock;
    FakeServer server;
    FakeStream stream;
    FakeStreamLinks links{server, stream};
    PostgresConfig config;
    Silence lines;
    Log log{LogOptions{}, lines, clock};
    Metrics metrics{"1.0"};
    SourceCarryOver carry_over;
    Batch batch;
    std::optional<PostgresSource> made;
};

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
    server.answers(
        "IDENTIFY_SYSTEM",
        fake_row(
            {{"systemid", "77"}, {"timeline", "2"}, {"xlogpos", "0/500"}, {"dbname", "shop"}}));
    clock.advance(TimelineWatch::kEvery);
    const auto reported = service();
    ASSERT_FALSE(reported);
    EXPECT_EQ(reported.error().next, Error::Next::retry);
    EXPECT_EQ(source().certain_until(), Lsn{0x480});
}

// Making a slot waits for transactions, for as long as they like.
TEST_F(PostgresSourceTest, AStandbyThatIsPromotedWhileItsSlotIsMadeIsConnectedToAnew) {
    is_a_standby();
    server.answers(
        "IDENTIFY_SYSTEM",
        fake_row(
            {{"systemid", "77"}, {"timeline", "2"}, {"xlogpos", "0/500"}, {"dbname", "shop"}}));
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

TEST_F(PostgresSourceTest, StopsWhenTheServerSkippedWhatWeNeed) {
    healthy("0/280");
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    const auto serviced = service();
    ASSERT_FALSE(serviced);
    EXPECT_EQ(serviced.error().category, Error::Category::position);
    EXPECT_EQ(serviced.error().next, Error::Next::stop);
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
    EXPECT_THAT(serviced.error().hint, HasSubstr("is lost"));
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
    server.answers("pg-capture: table facts */", users_key());
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

TEST_F(PostgresSourceTest, FeedbackGoesOutWhileNobodyReads) {
    start();
    for (int i = 0; i < 5; ++i) {
        Wants wants;
        source().wants(wants, false);
        ASSERT_LE(wants.deadline, clock.now() + 10s);
        clock.advance(10s);
        ASSERT_TRUE(service());
    }
    EXPECT_GE(stream.reported.size(), 5U);
}

TEST_F(PostgresSourceTest, ConfirmsNothingByItself) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    clock.advance(10s);
    ASSERT_TRUE(service());
    EXPECT_EQ(last_feedback().flush, Lsn{});
    EXPECT_EQ(last_feedback().write, Lsn{0x308});
}

TEST_F(PostgresSourceTest, TellsAConfirmationAtOnceWhenAsked) {
    start();
    source().confirm(Lsn{0x308}, false);
    ASSERT_TRUE(service());
    EXPECT_TRUE(stream.reported.empty());
    source().confirm(Lsn{0x308}, true);
    ASSERT_TRUE(service());
    EXPECT_EQ(last_feedback().flush, Lsn{0x308});
}

TEST_F(PostgresSourceTest, AnswersTheServerAtOnce) {
    start();
    stream.sends(testing::keepalive(Lsn{0x500}, true));
    rounds(2);
    EXPECT_EQ(stream.reported.size(), 1U);
    EXPECT_EQ(last_feedback().write, Lsn{0x500});
}

TEST_F(PostgresSourceTest, IsIdleBetweenTransactionsOnly) {
    start();
    EXPECT_FALSE(source().idle_at());
    stream.sends(testing::keepalive(Lsn{0x250}));
    rounds(1);
    EXPECT_EQ(source().idle_at(), Lsn{0x250});
    stream.sends(testing::begin(Lsn{0x300}, 2));
    rounds(1);
    EXPECT_FALSE(source().idle_at());
}

TEST_F(PostgresSourceTest, IsNotIdleWhileMessagesAreKeptBack) {
    start();
    sends_transaction(Lsn{0x300});
    rounds();
    stream.sends(testing::keepalive(Lsn{0x350}));
    for (std::uint64_t i = 0; i < 50; ++i) {
        const Lsn commit{0x400 + i * 0x10};
        stream.sends(testing::begin(commit, 2));
        stream.sends(testing::commit(commit, Lsn{commit.value + 8}));
    }
    batch.clear();
    ASSERT_TRUE(round(1));
    EXPECT_FALSE(source().idle_at());
}

TEST_F(PostgresSourceTest, AsksASilentServerForASign) {
    start();
    rounds(1);
    clock.advance(Liveness::kPatience);
    ASSERT_TRUE(round());
    ASSERT_TRUE(service());
    EXPECT_TRUE(last_feedback().reply);
    clock.advance(Liveness::kGrace);
    const auto dead = round();
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().next, Error::Next::retry);
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

TEST_F(PostgresSourceTest, LooksForNewTablesWhereThePublicationIsOurs) {
    config.manage_publication = true;
    config.tables_refresh = 5s;
    start();
    const int before = server.count("publication signature");
    clock.advance(5s);
    rounds(3);
    EXPECT_GT(server.count("publication signature"), before);
    const int after = server.count("publication signature");
    rounds(3);
    EXPECT_EQ(server.count("publication signature"), after) << "not before the next time";
}

// What was captured before, as it is stored: the table has OID 20000.
TEST_F(PostgresSourceTest, WhatWasNotCapturedWhenItRanLastIsRead) {
    open();
    source().recall("\ncaptured 19999");
    EXPECT_EQ(source().memory(), "\ncaptured 19999") << "until the order is there";
    EXPECT_EQ(source().memory_revision(), 0U);
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_THAT(source().snapshot_progress(), HasSubstr("table \"public\".\"users\""));
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
    EXPECT_GT(source().memory_revision(), 0U);
    EXPECT_GT(source().snapshot_revision(), 0U);
}

TEST_F(PostgresSourceTest, WhatWasCapturedOrIsFirstLookedAtIsNotRead) {
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshot_progress(), "");
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
    EXPECT_GT(source().memory_revision(), 0U) << "to be stored";
    made.reset();
    open();
    source().recall("\ncaptured all 20000");
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshot_progress(), "");
    EXPECT_EQ(source().memory_revision(), 0U);
    made.reset();
    config.snapshot.new_tables = false;
    open();
    source().recall("\ncaptured 19999");
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshot_progress(), "");
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
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

TEST_F(PostgresSourceTest, WhatComesToBeCapturedInSomebodyElsesPublicationIsRead) {
    config.tables_refresh = 60s;
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", std::nullopt}}));
    start();
    const auto revision = source().memory_revision();
    server.answers("publication signature */", fake_row({{"signature", "y"}}));
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "users"},
                                                         {.schema = "public", .name = "more"}}));
    server.answers("published tables */",
                   fake_published({{"public", "users"}, {"public", "more"}}));
    rounds();
    EXPECT_EQ(source().snapshot_progress(), "") << "it is not looked at all the time";
    look_for_tables();
    EXPECT_THAT(source().snapshot_progress(), HasSubstr("table \"public\".\"more\""));
    EXPECT_THAT(source().snapshot_progress(), Not(HasSubstr("users")));
    EXPECT_EQ(source().memory(), "\ncaptured 20000,1");
    EXPECT_GT(source().memory_revision(), revision);
}

TEST_F(PostgresSourceTest, NoTableThatComesIsForgottenWhoeverIsKilledWhen) {
    config.tables_refresh = 60s;
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", std::nullopt}}));
    std::vector<FakeTable> tables{{.schema = "public", .name = "users"}};
    std::vector<std::pair<std::string, std::string>> published{{"public", "users"}};
    const auto comes = [&] {
        const std::string name = "t" + std::to_string(tables.size());
        tables.push_back({.schema = "public", .name = name});
        published.emplace_back("public", name);
        server.answers("publication signature */", fake_row({{"signature", name}}));
        server.answers("pg-capture: tables */", fake_tables(tables));
        server.answers("published tables */", fake_published(published));
    };
    std::string snapshot;
    std::string remembered;
    const auto store = [&] {
        snapshot = source().snapshot_progress();
        remembered = source().memory();
    };
    const auto begin_again = [&] {
        made.reset();
        open();
        source().recall(remembered);
        ASSERT_TRUE(source().start(kFrom, snapshot));
        source().request({.verb = SnapshotCommand::Verb::pause, .request = {}});
    };
    begin_again();
    store();
    std::minstd_rand random{7};
    for (int i = 0; i < 100; ++i) {
        switch (random() % 4) {
            case 0: comes(); break;
            case 1: store(); break;
            case 2: begin_again(); break;
            default: look_for_tables();
        }
    }
    begin_again();
    ASSERT_GT(tables.size(), 10U);
    for (const FakeTable& table : tables) {
        const std::string line = "table \"public\".\"" + table.name + "\"";
        const auto progress = source().snapshot_progress() + "\n";
        EXPECT_EQ(progress.contains(line + "\n"), table.name != "users") << table.name;
    }
}

TEST_F(PostgresSourceTest, FetchesUnsentValuesWhenTold) {
    config.toast = ToastMode::reselect;
    server.answers("pg-capture: reselect */", fake_row({{"bio", "as it is now"}}));
    start();
    EXPECT_EQ(server.count("binary 'true'"), 0) << "key values must come as text";
    stream.sends(testing::begin(Lsn{0x300}, 2));
    sends_users();
    stream.sends(testing::update(Lsn{0x300}, kUsers, {"1", testing::kUnchanged}));
    rounds(4);
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].after[1].bytes(), "as it is now");
    EXPECT_TRUE(batch.changes[0].after[1].reselected);
}

TEST_F(PostgresSourceTest, AReselectTheServerRefusesLeavesTheValueUnknown) {
    config.toast = ToastMode::reselect;
    server.refuses("pg-capture: reselect */", "42P01", stop(Error::Category::server, "gone"));
    start();
    stream.sends(testing::begin(Lsn{0x300}, 2));
    sends_users();
    stream.sends(testing::update(Lsn{0x300}, kUsers, {"1", testing::kUnchanged}));
    rounds(4);
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].after[1].state, Cell::State::unchanged);
}

TEST_F(PostgresSourceTest, RemembersThatATypeMustComeAsText) {
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    stream.sends(testing::begin(Lsn{0x300}, 2));
    stream.sends(
        testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}, {"mood", 16500}}));
    Result<Source::Read> read = Source::Read::caught_up;
    for (int i = 0; i < 5 && read; ++i) read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::retry);
    made.reset();
    stream.arriving.clear();
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1) << "the second stream is asked for as text";
}

// An aclitem[] that somebody else's FOR ALL TABLES publication brings along, say.
TEST_F(PostgresSourceTest, GoesOnInTextWhereTheServerHasNoBinaryAndBackWhenThatIsPassed) {
    config.binary = true;
    config.tables_refresh = 5s;
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    stream.breaks = server_error({"42883", "no binary output function available for type aclitem"});
    auto read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::retry);
    made.reset();
    stream.breaks.reset();
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    EXPECT_EQ(server.count("published types */"), 1) << "it may be gone, but not from the log";

    const Lsn end = source().server_end();
    source().confirm(Lsn{end.value - 1}, false);
    clock.advance(2min);
    rounds();
    EXPECT_EQ(server.count("published types */"), 2);
    source().confirm(end, false);
    clock.advance(2min);
    read = round();
    for (int i = 0; i < 5 && read; ++i) read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::retry);
    EXPECT_THAT(read.error().what, HasSubstr("has a binary form again"));
    made.reset();
    server.answers("pg-capture: slots */", fake_slot({{"confirmed", to_string(end)}}));
    start();
    EXPECT_EQ(server.count("binary 'true'"), 2);
    EXPECT_FALSE(carry_over.text_only);
}

TEST_F(PostgresSourceTest, SaysGoodByeWithWhatWasConfirmed) {
    start();
    source().confirm(Lsn{0x308}, false);
    stream.says_good_bye = false;
    EXPECT_EQ(source().close(), false);
    EXPECT_EQ(last_feedback().flush, Lsn{0x308});
    stream.says_good_bye = true;
    EXPECT_EQ(source().close(), true);
    EXPECT_EQ(source().close(), true);
    EXPECT_EQ(stream.reported.size(), 1U);
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
