#include "pgclient/connection_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/options_fixture.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConnectionOptionsTest : public test::OptionsFixture {
protected:
    ConnectionOptionsTest()
        : OptionsFixture(
              {kPostgresConnectionOptions},
              {{"PG_DATABASE", "shop"}, {"PG_USERNAME", "cdc"}, {"PG_PASSWORD", "s3cret"}}) {}

    ConnectionConfig config() {
        return made([&](const Settings& settings) { return connection_config(settings, files); });
    }
};

TEST_F(ConnectionOptionsTest, TheTableItselfIsSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(ConnectionOptionsTest, DefaultsAreThoseOfTheContract) {
    const auto c = config();
    ASSERT_EQ(c.hosts.size(), 1U);
    EXPECT_EQ(to_string(c.hosts[0]), "localhost:5432");
    EXPECT_EQ(c.ssl_mode, "disable");
    EXPECT_EQ(c.connect_timeout, std::chrono::seconds{30});
    EXPECT_EQ(c.password()->reveal(), "s3cret");
    EXPECT_FALSE(c.ssl_key_password);
}

TEST_F(ConnectionOptionsTest, SeveralHostsMayCarryTheirPorts) {
    environment["PG_HOST"] = "db1, db2:6000,[::1]:7000,::2,/run/pg";
    environment["PG_PORT"] = "5555";
    std::vector<std::string> texts;
    for (const auto& host : config().hosts) texts.push_back(to_string(host));
    EXPECT_THAT(texts, ElementsAre("db1:5555", "db2:6000", "[::1]:7000", "[::2]:5555", "/run/pg"));
}

TEST_F(ConnectionOptionsTest, RefusesWhatIsNoHost) {
    for (const auto text : {"db:", "db:x", "db:0", "db:70000", "[::1", "[::1]7", "a,,b", "a b"}) {
        environment["PG_HOST"] = text;
        EXPECT_THAT(errors(), Contains(HasSubstr("postgres.host"))) << text;
    }
}

TEST_F(ConnectionOptionsTest, RefusesTlsSettingsThatContradict) {
    environment["PG_CAPTURE_POSTGRES_SSL_ROOT_CERT"] = "system";
    EXPECT_THAT(errors(), Contains(HasSubstr("sign certificates for anybody")));
    environment.erase("PG_CAPTURE_POSTGRES_SSL_ROOT_CERT");
    environment["PG_SSL_MODE"] = "verify-ca";
    EXPECT_THAT(errors(), Contains(HasSubstr("authority to verify with")));
    environment["PG_SSL_MODE"] = "require";
    environment["PG_CAPTURE_POSTGRES_SSL_CERT"] = "c.pem";
    EXPECT_THAT(errors(), Contains(HasSubstr("go together")));
    environment.erase("PG_CAPTURE_POSTGRES_SSL_CERT");
    environment["PG_SSL_MODE"] = "disable";
    environment["PG_CAPTURE_POSTGRES_CHANNEL_BINDING"] = "require";
    EXPECT_THAT(errors(), Contains(HasSubstr("needs TLS")));
}

TEST_F(ConnectionOptionsTest, FullVerificationTrustsTheMachinesAuthoritiesUnlessToldOtherwise) {
    environment["PG_SSL_MODE"] = "verify-full";
    EXPECT_EQ(config().ssl_root_cert, "system");
    environment["PG_CAPTURE_POSTGRES_SSL_ROOT_CERT"] = "ca.pem";
    EXPECT_EQ(config().ssl_root_cert, "ca.pem");
}

TEST_F(ConnectionOptionsTest, PlainTextToAnotherMachineIsKnown) {
    EXPECT_FALSE(config().plain_text_to_others());
    environment["PG_HOST"] = "127.0.0.1,/run/pg";
    EXPECT_FALSE(config().plain_text_to_others());
    environment["PG_HOST"] = "localhost,db";
    EXPECT_TRUE(config().plain_text_to_others());
    environment["PG_HOST"] = "127.evil.com";
    EXPECT_TRUE(config().plain_text_to_others());
    environment["PG_SSL_MODE"] = "prefer";
    EXPECT_TRUE(config().plain_text_to_others());
    environment["PG_SSL_MODE"] = "require";
    EXPECT_FALSE(config().plain_text_to_others());
}

TEST_F(ConnectionOptionsTest, ThePasswordIsReadAnewEachTime) {
    environment.erase("PG_PASSWORD");
    environment["PG_PASSWORD_FILE"] = "/run/secret";
    ASSERT_TRUE(files.replace("/run/secret", "one\n"));
    const auto c = config();
    EXPECT_EQ(c.password()->reveal(), "one");
    ASSERT_TRUE(files.replace("/run/secret", "two\n"));
    EXPECT_EQ(c.password()->reveal(), "two");
}

}  // namespace
}  // namespace pgc
