#include "pgclient/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdlib>
#include <map>

#include "config/environment.h"
#include "pgclient/libpq_link.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

std::map<std::string, std::string> parameters(const ConnectionConfig& config,
                                              LinkFactory::Use use = LinkFactory::Use::sql,
                                              const AddressList& addresses = {"db", "10.0.0.1",
                                                                              "5432"}) {
    std::map<std::string, std::string> map;
    for (const auto& [name, value] : connection_parameters(config, addresses, "app", use)) {
        map[name] = value;
    }
    return map;
}

TEST(ParametersTest, EveryFileLibpqWouldLookForIsNamed) {
    ConnectionConfig c;
    c.database = "shop";
    c.username = "cdc";
    const auto p = parameters(c);
    EXPECT_EQ(p.at("passfile"), kNoFile);
    EXPECT_EQ(p.at("sslrootcert"), kNoFile);
    EXPECT_EQ(p.at("sslcrl"), kNoFile);
    EXPECT_EQ(p.at("sslcertmode"), "disable");
    EXPECT_THAT(p, Not(Contains(Key("service"))));
    for (const auto& [name, value] : p) EXPECT_FALSE(value.empty()) << name;
}

TEST(ParametersTest, OnlyTheReplicationLinkSpeaksReplication) {
    EXPECT_THAT(parameters({}), Not(Contains(Key("replication"))));
    EXPECT_EQ(parameters({}, LinkFactory::Use::replication).at("replication"), "database");
}

TEST(ParametersTest, CertificatesAreGivenWhereConfigured) {
    ConnectionConfig c;
    c.ssl_mode = "verify-full";
    c.ssl_root_cert = "ca.pem";
    c.ssl_cert = "c.pem";
    c.ssl_key = "k.pem";
    c.require_auth = "scram-sha-256";
    const auto p = parameters(c);
    EXPECT_EQ(p.at("sslmode"), "verify-full");
    EXPECT_EQ(p.at("sslrootcert"), "ca.pem");
    EXPECT_EQ(p.at("sslcert"), "c.pem");
    EXPECT_EQ(p.at("sslkey"), "k.pem");
    EXPECT_EQ(p.at("sslcertmode"), "allow");
    EXPECT_EQ(p.at("require_auth"), "scram-sha-256");
}

TEST(ParametersTest, SocketsAloneNeedNoAddresses) {
    EXPECT_THAT(parameters({}, LinkFactory::Use::sql, {"/run/a,/run/b", ",", "1,2"}),
                Not(Contains(Key("hostaddr"))));
}

TEST(ParametersTest, SessionsArePinnedFromTheStart) {
    const auto options = session_options();
    for (const auto setting : {"datestyle=ISO", "intervalstyle=iso_8601", "extra_float_digits=3",
                               "timezone=UTC", "bytea_output=hex", "lc_monetary=C"}) {
        EXPECT_THAT(options, HasSubstr(std::string{"-c "} + setting));
    }
}

TEST(ParametersTest, WhoOnlyLooksIsKeptFromWritingByTheServer) {
    constexpr std::string_view setting = "default_transaction_read_only=";
    const auto last_word = [&](bool read_only) {
        const std::string options = session_options(read_only);
        return options.substr(options.rfind(setting) + setting.size());
    };
    EXPECT_EQ(last_word(true), "on");
    EXPECT_EQ(last_word(false), "off");
}

TEST(ParametersTest, LaterSettingsAreThoseTheVersionKnows) {
    using enum LinkFactory::Use;
    EXPECT_EQ(late_session_settings(110022, "UTF8", replication), "");
    EXPECT_EQ(late_session_settings(120000, "UTF8", replication),
              "SET wal_sender_timeout = '20s';");
    EXPECT_EQ(late_session_settings(100023, "UTF8", sql), "");
    EXPECT_EQ(late_session_settings(110000, "UTF8", sql), "SET jit = off;");
    EXPECT_EQ(late_session_settings(140000, "UTF8", sql),
              "SET jit = off;SET idle_session_timeout = 0;");
    EXPECT_EQ(late_session_settings(170000, "UTF8", sql),
              "SET jit = off;SET idle_session_timeout = 0;SET transaction_timeout = 0;");
}

TEST(ParametersTest, ADatabaseWithoutEncodingIsReadRaw) {
    EXPECT_EQ(late_session_settings(100000, "SQL_ASCII", LinkFactory::Use::sql),
              "SET client_encoding = 'SQL_ASCII';");
}

TEST(ParametersTest, LibpqsOwnVariablesAreForgottenAndOursKept) {
    // NOLINTBEGIN(concurrency-mt-unsafe): a test has one thread
    ::setenv("PGSERVICE", "evil", 1);
    ::setenv("PGHOSTADDR", "10.9.9.9", 1);
    ::setenv("PG_HOST", "db", 1);
    remove_from_environment(libpq_variables());
    const auto environment = read_environment();
    EXPECT_THAT(environment, Not(Contains(Key("PGSERVICE"))));
    EXPECT_THAT(environment, Not(Contains(Key("PGHOSTADDR"))));
    EXPECT_THAT(environment, Contains(Key("PG_HOST")));
    ::unsetenv("PG_HOST");
    // NOLINTEND(concurrency-mt-unsafe)
}

// Threads read it: whoever makes a factory while there are some must not change it.
TEST(ParametersTest, AFactoryLeavesTheEnvironmentAsItIs) {
    // NOLINTBEGIN(concurrency-mt-unsafe): a test has one thread
    ::setenv("PGSERVICE", "evil", 1);
    const auto before = read_environment();
    const LibpqLinkFactory links({}, "test", Logger{});
    EXPECT_EQ(read_environment(), before);
    ::unsetenv("PGSERVICE");
    // NOLINTEND(concurrency-mt-unsafe)
}

TEST(ParametersTest, ApplicationNamesFitAndTellProcessesApart) {
    EXPECT_EQ(application_name("shop", 0xAB), "pg-capture 00000000000000ab shop");
    EXPECT_EQ(application_name(std::string(63, 'x'), 1).size(), 63U);
    EXPECT_NE(application_name("shop", 1), application_name("shop", 2));
}

}  // namespace
}  // namespace pgc
