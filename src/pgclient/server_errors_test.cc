#include "pgclient/server_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using Category = Error::Category;
using Next = Error::Next;
using testing::HasSubstr;
using testing::Not;

ConnectionConfig config() {
    ConnectionConfig c;
    c.hosts = {{"db", 5432}};
    c.database = "shop";
    c.username = "cdc";
    return c;
}

Error on_connect(std::string_view text) {
    return connect_error(text, config());
}

TEST(ServerErrorsTest, FindsTheSqlstateInVerboseText) {
    EXPECT_EQ(find_sqlstate("x failed: FATAL:  28P01: password authentication failed\nLOCATION: a"),
              "28P01");
    EXPECT_EQ(find_sqlstate("first: FATAL:  57P03: starting\nsecond: FATAL:  28000: no"), "28000");
    EXPECT_EQ(find_sqlstate("Connection refused"), "");
    EXPECT_EQ(find_sqlstate("ERROR:  short"), "");
    EXPECT_EQ(find_sqlstate(":  "), "");
    EXPECT_EQ(find_sqlstate(""), "");
}

TEST(ServerErrorsTest, TextsComeOnOneLineWithoutTheServersSource) {
    EXPECT_EQ(one_line("connection to server failed: FATAL:  28P01: password authentication failed "
                       "for user \"x\"\nLOCATION:  auth_failed, auth.c:335\n"),
              "connection to server failed: FATAL: password authentication failed for user \"x\"");
    EXPECT_EQ(one_line("a: Connection refused\n\tIs it running?\nb: timeout\n"),
              "a: Connection refused Is it running?; b: timeout");
}

TEST(ServerErrorsTest, AWrongPasswordStopsAndSaysWhatToGive) {
    const auto e = on_connect("c failed: FATAL:  28P01: password authentication failed for user");
    EXPECT_EQ(e.category, Category::authentication);
    EXPECT_EQ(e.next, Next::stop);
    EXPECT_THAT(e.hint, HasSubstr("PG_PASSWORD"));
    EXPECT_EQ(e.where, "db:5432");
}

TEST(ServerErrorsTest, AMissingHbaEntryComesWithTheLineToAdd) {
    const auto plain = on_connect(
        "c failed: FATAL:  28000: no pg_hba.conf entry for host \"10.0.0.1\", user \"cdc\", "
        "database \"shop\", no encryption");
    EXPECT_THAT(plain.hint, HasSubstr("PG_SSL_MODE=require"));
    EXPECT_THAT(plain.hint, HasSubstr("host shop cdc"));
    const auto replication = on_connect(
        "c failed: FATAL:  28000: no pg_hba.conf entry for replication connection from host "
        "\"10.0.0.1\", user \"cdc\", SSL encryption");
    EXPECT_THAT(replication.hint, HasSubstr("hostssl replication cdc"));
    EXPECT_THAT(replication.hint, HasSubstr("pg_reload_conf"));
}

TEST(ServerErrorsTest, MissingReplicationIsAnAlterRoleAway) {
    for (const auto text :
         {"c: FATAL:  42501: must be superuser or replication role to start walsender",
          "c: FATAL:  42501: permission denied to start WAL sender\nDETAIL:  Only roles with"}) {
        const auto e = on_connect(text);
        EXPECT_EQ(e.category, Category::permission);
        EXPECT_EQ(e.next, Next::stop);
        EXPECT_EQ(e.hint, "ALTER ROLE \"cdc\" REPLICATION;");
    }
    EXPECT_THAT(on_connect("c: FATAL:  42501: permission denied for database \"shop\"").hint,
                HasSubstr("GRANT CONNECT ON DATABASE \"shop\" TO \"cdc\""));
}

TEST(ServerErrorsTest, WhatPassesByItselfIsRetried) {
    for (const auto text :
         {"c: FATAL:  57P03: the database system is starting up",
          "c: FATAL:  53300: sorry, too many clients already", "c: Connection refused",
          "c: connection timed out", "c: server closed the connection unexpectedly", ""}) {
        EXPECT_EQ(on_connect(text).next, Next::retry) << text;
    }
}

TEST(ServerErrorsTest, WhatOnlyAPersonFixesStops) {
    for (const auto text :
         {"c: FATAL:  3D000: database \"shop\" does not exist",
          "c: server does not support SSL, but SSL was required",
          "c: SSL error: certificate verify failed",
          "c: server certificate for \"a\" does not match host name \"b\"",
          "c: root certificate file \"x\" does not exist", "c: fe_sendauth: no password supplied",
          "c: channel binding required, but server authenticated client without channel binding",
          "c: private key file \"k\" has group or world access"}) {
        const auto e = on_connect(text);
        EXPECT_EQ(e.next, Next::stop) << text;
        EXPECT_FALSE(e.hint.empty()) << text;
    }
}

TEST(ServerErrorsTest, DataErrorsNeverShowTheServersWords) {
    for (const auto state : {"22P02", "23505", "21000", "44000"}) {
        const auto e =
            server_error({state, "invalid input \"my secret row\"", "Key (id)=(secret)"});
        EXPECT_THAT(describe(e), Not(HasSubstr("secret"))) << state;
        EXPECT_THAT(e.what, HasSubstr(state));
        EXPECT_EQ(e.next, Next::stop);
    }
}

TEST(ServerErrorsTest, ADataErrorNamesTheConstraint) {
    const auto e = server_error({.sqlstate = "23505", .message = "secret", .constraint = "t_key"});
    EXPECT_THAT(e.what, HasSubstr("SQLSTATE 23505, constraint t_key)"));
}

TEST(ServerErrorsTest, DetailsAreShownWhereTheySpeakOfObjectsOnly) {
    EXPECT_THAT(server_error({"55000", "cannot use slot", "It exceeded the reserved size."}).what,
                HasSubstr("exceeded"));
    EXPECT_THAT(server_error({"40001", "could not serialize", "Row (secret)"}).what,
                Not(HasSubstr("secret")));
}

TEST(ServerErrorsTest, SqlstatesDecideWhatComesNext) {
    EXPECT_EQ(server_error({"55006", "slot is active"}).next, Next::retry);
    EXPECT_EQ(server_error({"57P01", "terminating connection"}).category, Category::connection);
    EXPECT_EQ(server_error({"58P01", "requested WAL segment has been removed"}).category,
              Category::position);
    EXPECT_EQ(server_error({"58P01", "requested WAL segment has been removed"}).next, Next::stop);
    EXPECT_EQ(server_error({"42P01", "relation does not exist"}).next, Next::stop);
    EXPECT_EQ(server_error({"XX000", "something"}).next, Next::retry);
}

TEST(ServerErrorsTest, ASlotThatWasInvalidatedBeforeItsStreamBeganIsGivenUp) {
    const auto refused = [](std::string_view detail) {
        return server_error({"55000", "cannot read from logical replication slot \"s\"", detail});
    };
    const auto lost =
        refused("This slot has been invalidated because it exceeded the maximum reserved size.");
    EXPECT_EQ(lost.category, Category::position);
    EXPECT_EQ(lost.next, Next::stop);
    EXPECT_EQ(refused("Something else.").category, Category::server);
}

TEST(ServerErrorsTest, AMissingPublicationIsAMatterOfPosition) {
    const auto e = server_error({"42704", "publication \"p\" does not exist"});
    EXPECT_EQ(e.category, Category::position);
    EXPECT_EQ(e.next, Next::stop);
    EXPECT_FALSE(e.hint.empty());
}

// lc_messages = de_DE.UTF-8
TEST(ServerErrorsTest, AMissingPublicationIsKnownInAnyLanguage) {
    const auto refused = server_error({"42704", "Publikation »shop_inserts« existiert nicht"});
    EXPECT_TRUE(lacks_publication(refused, "shop_inserts"));
    EXPECT_FALSE(lacks_publication(refused, "store_inserts"));
    EXPECT_FALSE(
        lacks_publication(server_error({"42501", "keine Rechte: shop_inserts"}), "shop_inserts"));

    const auto warned = loss_warned_of({"55000", "Laden der Publikation »shop« übersprungen"});
    ASSERT_TRUE(warned);
    EXPECT_EQ(warned->category, Category::position);
    EXPECT_EQ(warned->next, Next::stop);
    EXPECT_TRUE(lacks_publication(*warned, "shop"));
    EXPECT_FALSE(loss_warned_of({"01000", "something else"}));
}

TEST(ServerErrorsTest, AWarningOfAStandbyThatIsWaitedForMeansNoLoss) {
    EXPECT_FALSE(loss_warned_of(
        {"55000",
         "replication slot \"absent\" specified in parameter \"synchronized_standby_slots\" does "
         "not have active_pid"}));
    EXPECT_FALSE(loss_warned_of({"55000",
                                 "physical replication slot \"absent\" specified in parameter "
                                 "\"synchronized_standby_slots\" has been invalidated"}));
}

TEST(ServerErrorsTest, ServerSettingsComeWithTheSettingToMake) {
    EXPECT_THAT(server_error({"55000", "logical decoding requires wal_level >= logical"}).hint,
                HasSubstr("SET wal_level = logical"));
    EXPECT_THAT(server_error({"53400", "all replication slots are in use"}).hint,
                HasSubstr("max_replication_slots"));
}

TEST(ServerErrorsTest, ALostConnectionIsRetried) {
    const auto e = lost_error("server closed the connection unexpectedly\n\tThis probably means");
    EXPECT_EQ(e.next, Next::retry);
    EXPECT_EQ(e.category, Category::connection);
    EXPECT_THAT(e.what, HasSubstr("lost"));
}

}  // namespace
}  // namespace pgc
