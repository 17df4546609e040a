#include "postgres/check/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "postgres/check/captured_tables.h"
#include "support/healthy_server.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using Level = Finding::Level;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CheckTest : public testing::Test {
protected:
    void SetUp() override {
        config.connection.connect_timeout = std::chrono::seconds{5};
        is_healthy(server, "a");
        server.answers("managed role */", fake_row({{"replication", "f"}}));
        server.answers("pg-capture: publication */",
                       fake_publication({{"note", std::nullopt}, {"owned", "f"}}));
        server.answers("generated columns */", fake_published({}));
        server.answers("pg-capture: slots */", no_slots());
    }

    Findings all() { return check_postgres(config, links, clock, waiter); }
    Findings bad() {
        Findings findings = all();
        std::erase_if(findings, [](const Finding& f) { return f.level == Level::ok; });
        return findings;
    }
    // The only thing that is not ok.
    Finding only() {
        const Findings findings = bad();
        EXPECT_EQ(findings.size(), 1U);
        return findings.empty() ? Finding{} : findings.front();
    }
    void facts(const std::map<std::string, std::optional<std::string>>& but) {
        server.answers("pg-capture: server */", fake_facts(but));
    }
    void tables(const std::vector<FakeTable>& fakes) {
        server.answers("pg-capture: tables */", fake_tables(fakes));
    }

    PostgresConfig config = shop_config();
    ManualClock clock;
    NoWait waiter;
    FakeServer server;
    FakeLinks links{server};
};

TEST_F(CheckTest, AGoodSetUpHasNothingToFix) {
    const auto findings = all();
    EXPECT_GE(findings.size(), 9U);
    for (const auto& f : findings) {
        EXPECT_EQ(f.level, Level::ok) << f.id;
        EXPECT_EQ(f.hint, "") << f.id;
        EXPECT_NE(f.message, "") << f.id;
    }
}

TEST_F(CheckTest, NothingIsChangedByLooking) {
    ASSERT_THAT(bad(), IsEmpty());
    for (const auto word : {"CREATE P", "CREATE_", "ALTER ", "DROP ", "GRANT "}) {
        EXPECT_EQ(server.count(word), 0) << word;
    }
}

TEST_F(CheckTest, NoConnectionIsTheOnlyFinding) {
    server.refuses_to_connect.emplace(
        LinkFactory::Use::sql,
        stop(Error::Category::authentication, "password authentication failed")
            .at("db:5432")
            .with_hint("give the right PG_PASSWORD"));
    const auto f = only();
    EXPECT_EQ(f.id, "connection");
    EXPECT_EQ(f.level, Level::blocking);
    EXPECT_EQ(f.subject, "db:5432");
    EXPECT_EQ(f.hint, "give the right PG_PASSWORD");
}

TEST_F(CheckTest, PlainTextToOthersIsAWarning) {
    server.local = false;
    const auto f = only();
    EXPECT_EQ(f.level, Level::warning);
    EXPECT_THAT(f.hint, HasSubstr("verify-full"));
}

TEST_F(CheckTest, WalLevelIsAStatementAndARestartAway) {
    facts({{"wal_level", "replica"}});
    const auto f = only();
    EXPECT_EQ(f.id, "wal_level");
    EXPECT_EQ(f.level, Level::blocking);
    EXPECT_EQ(f.hint, "ALTER SYSTEM SET wal_level = logical; restart the server");
}

TEST_F(CheckTest, ReplicationIsAnAlterRoleAwayAndNotTriedWithout) {
    facts({{"superuser", "f"}, {"replication", "f"}});
    const auto f = only();
    EXPECT_EQ(f.id, "replication");
    EXPECT_EQ(f.hint, "ALTER ROLE \"cdc\" REPLICATION");
    EXPECT_EQ(server.count("IDENTIFY_SYSTEM"), 0);
}

TEST_F(CheckTest, ManagedServicesGiveReplicationByMembership) {
    facts({{"superuser", "f"}, {"replication", "f"}});
    server.answers("managed role */", fake_row({{"replication", "t"}}));
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(CheckTest, AStandbyTakesTwoWalsenders) {
    server.version = 160099;
    facts({{"standby", "t"}, {"senders", "9"}});
    const auto f = only();
    EXPECT_EQ(f.id, "max_wal_senders");
    EXPECT_EQ(f.level, Level::blocking);
    EXPECT_THAT(f.message, HasSubstr("9 of 10 in use: following a standby takes two"));
    EXPECT_THAT(f.hint, HasSubstr("max_wal_senders = 20"));
    facts({{"standby", "t"}, {"senders", "8"}});
    EXPECT_THAT(bad(), IsEmpty());
    facts({{"senders", "9"}});
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(CheckTest, AFullHouseBlocks) {
    facts({{"senders", "10"}});
    EXPECT_THAT(only().hint, HasSubstr("max_wal_senders = 20"));
    facts({{"slots", "10"}});
    EXPECT_THAT(only().hint, HasSubstr("max_replication_slots = 20"));
    server.answers("pg-capture: slots */", fake_slot());
    EXPECT_EQ(only().level, Level::warning) << "ours is one of them; a snapshot needs another";
}

TEST_F(CheckTest, LimitsAndEncodingsAreWarnings) {
    facts({{"max_slot_wal_keep_mb", "100"}, {"encoding", "SQL_ASCII"}});
    const auto findings = bad();
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].id, "max_slot_wal_keep_size");
    EXPECT_EQ(findings[1].id, "encoding");
    EXPECT_EQ(findings[1].level, Level::warning);
}

TEST_F(CheckTest, ATimeoutForUnreadSlotsIsAWarning) {
    facts({{"idle_slot_timeout_s", "0"}});
    EXPECT_THAT(bad(), IsEmpty());
    facts({{"idle_slot_timeout_s", "7200"}});
    EXPECT_EQ(only().id, "idle_replication_slot_timeout");
    EXPECT_EQ(only().level, Level::warning);
    EXPECT_THAT(only().message, HasSubstr("2 h"));
    EXPECT_THAT(only().hint, HasSubstr("idle_replication_slot_timeout = 0"));
}

TEST_F(CheckTest, AShortSenderTimeoutMattersOnlyWhereWeCantSetIt) {
    facts({{"wal_sender_timeout_ms", "5000"}});
    EXPECT_THAT(bad(), IsEmpty());
    server.version = 110022;
    EXPECT_EQ(only().id, "wal_sender_timeout");
}

TEST_F(CheckTest, KnownBugsAreWarnings) {
    server.version = 150013;
    const auto f = only();
    EXPECT_EQ(f.id, "server_bug");
    EXPECT_EQ(f.hint, "update the server to 15.14");
}

TEST_F(CheckTest, AMessageKeyMustComeWithOldRows) {
    const auto sent = [&](const std::string& flag) {
        Rows rows;
        rows.columns = {"schema", "name", "column_name", "sent"};
        rows.rows = {{"public", "a", "id", "t"}, {"public", "a", "region", flag}};
        server.answers("sent columns */", rows);
    };
    sent("f");
    EXPECT_THAT(bad(), IsEmpty()) << "no columns are named";
    EXPECT_EQ(server.count("sent columns */"), 0);
    config.message_keys = NamedColumns::of_map("source.message_keys", {{"*.a", "id+region"}});
    const auto f = only();
    EXPECT_EQ(f.id, "named_columns");
    EXPECT_EQ(f.level, Level::warning);
    EXPECT_THAT(f.message, HasSubstr("sends no old values of \"region\""));
    EXPECT_EQ(f.hint, "ALTER TABLE \"public\".\"a\" REPLICA IDENTITY FULL");
    sent("t");
    EXPECT_THAT(bad(), IsEmpty());
    config.message_keys = NamedColumns::of_map("source.message_keys", {{"*.a", "nothing"}});
    EXPECT_EQ(only().level, Level::blocking);
    EXPECT_EQ(only().hint, "correct source.message_keys");
    config.message_keys = {};
    config.partition_columns = NamedColumns::of_map("kafka.partition_columns", {{"*.a", "region"}});
    EXPECT_THAT(bad(), IsEmpty());
    sent("f");
    EXPECT_THAT(only().message, HasSubstr("kafka.partition_columns"));
}

// Of public.a: the columns of its only unique index.
Rows fake_unique_index(const std::string& fault, const std::string& nullable = "f",
                       const std::string& sent = "t", const std::string& generated = "f") {
    Rows rows;
    rows.columns = {"schema", "name",     "index_name", "column_name",
                    "fault",  "nullable", "generated",  "sent"};
    rows.rows = {{"public", "a", "a_key", "id", fault, nullable, generated, sent},
                 {"public", "a", "a_key", "region", fault, "f", "f", "t"}};
    return rows;
}

TEST_F(CheckTest, AUniqueIndexThatMakesTheKeyOfMessagesIsNamed) {
    server.answers("unique indexes */", fake_unique_index(""));
    EXPECT_THAT(bad(), IsEmpty());
    EXPECT_EQ(server.count("unique indexes */"), 0) << "not in this format";
    config.unique_keys = true;
    EXPECT_THAT(bad(), IsEmpty());
    const auto findings = all();
    const auto found = std::ranges::find(findings, std::string_view{"unique_keys"}, &Finding::id);
    ASSERT_NE(found, findings.end());
    EXPECT_THAT(found->message, HasSubstr("\"public\".\"a\" (\"id\", \"region\")"));
}

TEST_F(CheckTest, AUniqueIndexThatMakesNoKeyIsAWarningWithTheReason) {
    config.unique_keys = true;
    const auto only_with = [&](Rows rows) {
        server.answers("unique indexes */", std::move(rows));
        const auto finding = only();
        EXPECT_EQ(finding.id, "unique_keys");
        EXPECT_EQ(finding.level, Level::warning);
        EXPECT_EQ(finding.subject, "table \"public\".\"a\"");
        return finding;
    };
    const auto nullable = only_with(fake_unique_index("nullable", "t"));
    EXPECT_THAT(nullable.message, HasSubstr("as it may hold NULL in \"id\""));
    EXPECT_EQ(nullable.hint, "ALTER TABLE \"public\".\"a\" ALTER COLUMN \"id\" SET NOT NULL");
    const auto unsent = only_with(fake_unique_index("", "f", "f"));
    EXPECT_THAT(unsent.message, HasSubstr("does not send of old rows: \"id\""));
    EXPECT_EQ(unsent.hint, "ALTER TABLE \"public\".\"a\" REPLICA IDENTITY FULL");
    EXPECT_THAT(only_with(fake_unique_index("", "f", "t", "t")).message,
                HasSubstr("generated column, which the server does not send: \"id\""));
    EXPECT_EQ(only_with(fake_unique_index("invalid")).hint, "REINDEX INDEX \"public\".\"a_key\"");
    for (const auto* const fault : {"expression", "partial", "deferrable", "partition"}) {
        EXPECT_THAT(only_with(fake_unique_index(fault)).hint, HasSubstr("source.message_keys"));
    }
    config.message_keys = NamedColumns::of_map("source.message_keys", {{"public.a", "id"}});
    Rows sent;
    sent.columns = {"schema", "name", "column_name", "sent"};
    sent.rows = {{"public", "a", "id", "t"}};
    server.answers("sent columns */", sent);
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(CheckTest, AnOldServerEndsTheVisit) {
    server.version = 90624;
    EXPECT_EQ(only().id, "version");
}

TEST_F(CheckTest, SelectIsGrantedTableByTableAndSchemaBySchema) {
    tables({{.schema = "public", .name = "a"},
            {.schema = "shop", .name = "b", .readable = false},
            {.schema = "shop", .name = "c", .readable = false}});
    server.answers("published tables */",
                   fake_published({{"public", "a"}, {"shop", "b"}, {"shop", "c"}}));
    EXPECT_EQ(only().hint,
              "GRANT USAGE ON SCHEMA \"shop\" TO \"cdc\"; GRANT SELECT ON \"shop\".\"b\", "
              "\"shop\".\"c\" TO \"cdc\"");
}

TEST_F(CheckTest, APublicationOfOthersThatLacksATableAskedForByNameIsAWarning) {
    config.tables =
        TableFilter{{*NamePattern::parse("public.a", 2), *NamePattern::parse("public.b", 2)}, {}};
    tables({{.schema = "public", .name = "a"}, {.schema = "public", .name = "b"}});
    const auto f = only();
    EXPECT_EQ(f.id, "publication");
    EXPECT_EQ(f.level, Level::warning);
    EXPECT_EQ(f.hint, "ALTER PUBLICATION \"pub\" ADD TABLE \"public\".\"b\";");
}

TEST_F(CheckTest, OfAPublicationOfOthersOnlyWhatItHoldsCounts) {
    tables({{.schema = "public", .name = "a"},
            {.schema = "public", .name = "b", .keyed = false, .readable = false, .owned = false}});
    EXPECT_THAT(bad(), IsEmpty()) << "a pattern matches more than was published for us";
    server.answers("published tables */", fake_published({{"public", "a"}, {"public", "b"}}));
    EXPECT_EQ(bad().size(), 2U) << "now b must be readable and have an identity";
}

TEST_F(CheckTest, OneOfOursWillBeFixedByTheRun) {
    server.answers("pg-capture: publication */", fake_publication());
    tables({{.schema = "public", .name = "a"}, {.schema = "public", .name = "b"}});
    EXPECT_THAT(bad(), IsEmpty());
    tables({{.schema = "public", .name = "a"}, {.schema = "public", .name = "b", .owned = false}});
    EXPECT_EQ(only().id, "publication");
}

TEST_F(CheckTest, OneThatIsUsedAsItIsMayHoldWhatItLikes) {
    config.manage_publication = false;
    tables({{.schema = "public", .name = "a"}, {.schema = "public", .name = "b", .keyed = false}});
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(CheckTest, APublicationThatIsMissingBesideASlotBlocks) {
    server.answers("pg-capture: publication */", no_publication());
    server.answers("published tables */", fake_published({}));
    server.answers("pg-capture: slots */", fake_slot());
    const auto f = only();
    EXPECT_EQ(f.id, "publication");
    EXPECT_EQ(f.level, Level::blocking);
    EXPECT_THAT(f.hint, HasSubstr("pg-capture slots drop shop_slot (what it still holds is lost)"));
}

TEST_F(CheckTest, AnInstanceOfOursThatFollowsTheSlotIsLeftAlone) {
    server.answers(
        "pg-capture: slots */",
        fake_slot(
            {{"active", "t"}, {"pid", "99"}, {"reader", "pg-capture 00000000000000ab shop_slot"}}));
    facts({{"senders", "10"}});
    auto findings = bad();
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].id, "max_wal_senders");
    EXPECT_EQ(findings[0].level, Level::warning) << "it has its place";
    EXPECT_EQ(findings[1].id, "slot");
    EXPECT_EQ(findings[1].level, Level::warning) << "it may be that of another machine";
    EXPECT_THAT(findings[1].hint, Not(HasSubstr("terminate")));
    facts({});
    EXPECT_THAT(check_postgres(config, links, clock, waiter, "streaming, live"),
                Contains(Field(&Finding::message,
                               HasSubstr("followed by the running instance: streaming, live"))));
}

TEST_F(CheckTest, AMissingPublicationBlocksOnlyWhereWeMayNotMakeIt) {
    server.answers("pg-capture: publication */", no_publication());
    server.answers("published tables */", fake_published({}));
    EXPECT_THAT(bad(), IsEmpty());
    facts({{"superuser", "f"}, {"may_create", "f"}});
    EXPECT_EQ(only().hint,
              "CREATE PUBLICATION \"pub\" FOR TABLE \"public\".\"a\" WITH (publish = 'insert, "
              "update, delete, truncate', publish_via_partition_root = false);");
    facts({});
    config.manage_publication = false;
    EXPECT_THAT(only().hint, HasSubstr("FOR TABLE \"public\".\"a\""));
}

TEST_F(CheckTest, APublicationThatLeavesOperationsOutIsAWarning) {
    server.answers("pg-capture: publication */",
                   fake_publication({{"note", std::nullopt}, {"deletes", "f"}}));
    const auto f = only();
    EXPECT_EQ(f.id, "publication_operations");
    EXPECT_EQ(f.message, "leaves out DELETE");
}

TEST_F(CheckTest, TablesWithoutIdentityBlockOneByOne) {
    tables({{.schema = "public", .name = "a", .keyed = false},
            {.schema = "public", .name = "n", .identity = "n"}});
    server.answers("published tables */", fake_published({{"public", "a"}, {"public", "n"}}));
    std::vector<std::string> hints;
    for (const auto& f : bad()) hints.push_back(f.hint);
    EXPECT_THAT(hints, ElementsAre("ALTER TABLE \"public\".\"a\" REPLICA IDENTITY FULL",
                                   "ALTER TABLE \"public\".\"n\" REPLICA IDENTITY DEFAULT"));
}

TEST_F(CheckTest, InsertsAloneNeedNoIdentity) {
    tables({{.schema = "public", .name = "a", .keyed = false}});
    server.answers("pg-capture: publication */",
                   fake_publication({{"note", std::nullopt}, {"updates", "f"}, {"deletes", "f"}}));
    EXPECT_EQ(only().id, "publication_operations");
}

TEST_F(CheckTest, WhatTheLogDoesNotHoldIsAWarning) {
    tables(
        {{.schema = "public", .name = "a"}, {.schema = "public", .name = "u", .unlogged = true}});
    EXPECT_EQ(only().id, "unlogged");
    tables({{.schema = "public", .name = "a"}});
    server.answers("generated columns */", fake_published({{"public", "a"}}));
    EXPECT_EQ(only().id, "generated_columns");
    server.version = 180000;
    EXPECT_THAT(only().hint, HasSubstr("publish_generated_columns = stored"));
    server.answers("pg-capture: publication */",
                   fake_publication({{"note", std::nullopt}, {"generated", "s"}}));
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(CheckTest, NoTableAtAllIsAWarning) {
    tables({});
    EXPECT_EQ(only().id, "tables");
}

TEST_F(CheckTest, ASlotInUseNamesItsReader) {
    server.answers("pg-capture: slots */",
                   fake_slot({{"active", "t"}, {"pid", "99"}, {"reader", "x"}}));
    const auto f = only();
    EXPECT_EQ(f.id, "slot");
    EXPECT_EQ(f.message, "is in use by PID 99 (x)");
    EXPECT_EQ(f.hint, "SELECT pg_terminate_backend(99)");
}

TEST_F(CheckTest, TwoPhaseIsLookedAtWhereItIsWanted) {
    server.answers("pg-capture: slots */", fake_slot({{"two_phase", "t"}}));
    EXPECT_EQ(only().id, "slot");
    EXPECT_THAT(only().hint, HasSubstr("source.two_phase"));
    config.two_phase = true;
    server.answers("prepared transactions */", fake_row({{"allowed", "0"}, {"undecided", "0"}}));
    EXPECT_EQ(only().id, "two_phase");
    EXPECT_THAT(only().message, HasSubstr("max_prepared_transactions is 0"));
    server.answers("prepared transactions */", fake_row({{"allowed", "10"}, {"undecided", "3"}}));
    EXPECT_THAT(bad(), IsEmpty());
    server.answers("pg-capture: slots */", fake_slot());
    for (const Finding& finding : all()) {
        if (finding.id == "slot") {
            EXPECT_THAT(finding.message, HasSubstr("turned on"));
        }
        if (finding.id == "two_phase") {
            EXPECT_THAT(finding.message, HasSubstr("3 of 10"));
        }
    }
    facts({{"version", "14.24"}});
    server.version = 140024;
    EXPECT_EQ(only().id, "two_phase");
    EXPECT_EQ(only().level, Level::blocking);
}

TEST_F(CheckTest, ALostSlotIsToBeDroppedAndASlotOfOthersToBeLeft) {
    server.answers("pg-capture: slots */", fake_slot({{"wal_status", "lost"}}));
    EXPECT_THAT(only().hint, HasSubstr("pg-capture position reset --drop-slot"));
    EXPECT_THAT(only().hint, HasSubstr("are lost"));
    server.answers("pg-capture: slots */", fake_slot({{"plugin", "wal2json"}}));
    EXPECT_THAT(only().hint, HasSubstr("PG_SLOT_NAME"));
    server.answers("pg-capture: slots */", fake_slot({{"wal_status", "unreserved"}}));
    EXPECT_EQ(only().level, Level::warning);
}

TEST_F(CheckTest, AQuestionThatFailsIsAFinding) {
    server.refuses("pg-capture: tables */", "42501",
                   stop(Error::Category::permission, "permission denied"));
    EXPECT_EQ(only().id, "query");
}

TEST_F(CheckTest, TheReplicationConnectionIsTriedToo) {
    server.refuses_to_connect.emplace(
        LinkFactory::Use::replication,
        stop(Error::Category::authentication, "no pg_hba.conf entry for replication connection"));
    EXPECT_EQ(only().id, "replication_connection");
}

TEST_F(CheckTest, CapturedTablesAreThosePublishedAndThoseToBeAdded) {
    const auto captured = [&] {
        auto link = BlockingLink::connect(links, LinkFactory::Use::sql, clock, waiter,
                                          std::chrono::seconds{5});
        return *captured_tables(*link, config);
    };
    tables({{.schema = "public", .name = "a"}, {.schema = "public", .name = "B"}});
    EXPECT_THAT(captured(), ElementsAre(CapturedTable{"public", "a"})) << "it is not ours to widen";
    server.answers("pg-capture: publication */", fake_publication());
    EXPECT_THAT(captured(),
                ElementsAre(CapturedTable{"public", "a"}, CapturedTable{"public", "B"}));
    config.tables = TableFilter{{*NamePattern::parse("public.a", 2)}, {}};
    EXPECT_THAT(captured(), ElementsAre(CapturedTable{"public", "a"}));
    config.manage_publication = false;
    server.answers("published tables */", fake_published({{"x", "y"}}));
    EXPECT_THAT(captured(), ElementsAre(CapturedTable{"x", "y"}));
}

}  // namespace
}  // namespace pgc
