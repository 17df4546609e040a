#include "postgres/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"

namespace pgc {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class PostgresOptionsTest : public testing::Test {
protected:
    Environment environment{
        {"PG_DATABASE", "shop"}, {"PG_USERNAME", "cdc"}, {"PG_PASSWORD", "s3cret"}};
    SimulatedFiles files;
    const Declarations declarations{postgres_option_tables()};

    auto load() { return pgc::load(declarations, {"", environment, {}}, files); }

    PostgresConfig config() {
        const auto settings = load();
        if (!settings) {
            ADD_FAILURE() << describe(settings.error());
            return {};
        }
        return postgres_config(*settings, files);
    }

    std::vector<std::string> errors() {
        std::vector<std::string> texts;
        if (const auto settings = load(); !settings) {
            for (const auto& error : settings.error()) texts.push_back(describe(error));
        }
        return texts;
    }
};

TEST_F(PostgresOptionsTest, TheTablesThemselvesAreSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(PostgresOptionsTest, DefaultsAreThoseOfTheContract) {
    const auto c = config();
    ASSERT_EQ(c.connection.hosts.size(), 1U);
    EXPECT_EQ(to_string(c.connection.hosts[0]), "localhost:5432");
    EXPECT_EQ(c.connection.ssl_mode, "disable");
    EXPECT_EQ(c.connection.connect_timeout, seconds{30});
    EXPECT_EQ(c.publication, "pg_replicate_kafka_pub");
    EXPECT_EQ(c.slot, "pg_replicate_kafka_slot");
    EXPECT_TRUE(c.tables.everything());
    EXPECT_FALSE(c.tables_given);
    EXPECT_TRUE(c.manage_publication);
    EXPECT_TRUE(c.binary);
    EXPECT_EQ(c.toast, ToastMode::omit);
    EXPECT_EQ(c.connection.password()->reveal(), "s3cret");
    EXPECT_FALSE(c.connection.ssl_key_password);
}

TEST_F(PostgresOptionsTest, SeveralHostsMayCarryTheirPorts) {
    environment["PG_HOST"] = "db1, db2:6000,[::1]:7000,::2,/run/pg";
    environment["PG_PORT"] = "5555";
    std::vector<std::string> texts;
    for (const auto& host : config().connection.hosts) texts.push_back(to_string(host));
    EXPECT_THAT(
        texts, testing::ElementsAre("db1:5555", "db2:6000", "[::1]:7000", "[::2]:5555", "/run/pg"));
}

TEST_F(PostgresOptionsTest, RefusesWhatIsNoHost) {
    for (const auto text : {"db:", "db:x", "db:0", "db:70000", "[::1", "[::1]7", "a,,b", "a b"}) {
        environment["PG_HOST"] = text;
        EXPECT_THAT(errors(), Contains(HasSubstr("postgres.host"))) << text;
    }
}

TEST_F(PostgresOptionsTest, RefusesASlotNameTheServerWouldRefuse) {
    environment["PG_SLOT_NAME"] = "My-Slot";
    EXPECT_THAT(errors(), Contains(HasSubstr("a-z, 0-9 and _")));
    environment["PG_SLOT_NAME"] = std::string(64, 'a');
    EXPECT_THAT(errors(), Contains(HasSubstr("63 bytes")));
}

TEST_F(PostgresOptionsTest, RefusesTlsSettingsThatContradict) {
    environment["PG_CAPTURE_POSTGRES_SSL_ROOT_CERT"] = "system";
    EXPECT_THAT(errors(), Contains(HasSubstr("sign for anybody")));
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

TEST_F(PostgresOptionsTest, FullVerificationTrustsTheMachinesAuthoritiesUnlessToldOtherwise) {
    environment["PG_SSL_MODE"] = "verify-full";
    EXPECT_EQ(config().connection.ssl_root_cert, "system");
    environment["PG_CAPTURE_POSTGRES_SSL_ROOT_CERT"] = "ca.pem";
    EXPECT_EQ(config().connection.ssl_root_cert, "ca.pem");
}

TEST_F(PostgresOptionsTest, PlainTextToAnotherMachineIsKnown) {
    EXPECT_FALSE(config().connection.plain_text_to_others());
    environment["PG_HOST"] = "127.0.0.1,/run/pg";
    EXPECT_FALSE(config().connection.plain_text_to_others());
    environment["PG_HOST"] = "localhost,db";
    EXPECT_TRUE(config().connection.plain_text_to_others());
    environment["PG_HOST"] = "127.evil.com";
    EXPECT_TRUE(config().connection.plain_text_to_others());
    environment["PG_SSL_MODE"] = "prefer";
    EXPECT_TRUE(config().connection.plain_text_to_others());
    environment["PG_SSL_MODE"] = "require";
    EXPECT_FALSE(config().connection.plain_text_to_others());
}

TEST_F(PostgresOptionsTest, FiltersAreReadAndRefused) {
    environment["PG_CAPTURE_SOURCE_TABLES_INCLUDE"] = "public.*,shop.orders";
    environment["PG_CAPTURE_SOURCE_TABLES_EXCLUDE"] = "*.audit_*";
    environment["PG_CAPTURE_SOURCE_COLUMNS_EXCLUDE"] = "public.users.ssn";
    const auto c = config();
    EXPECT_TRUE(c.tables_given);
    EXPECT_TRUE(c.tables.matches("shop", "orders"));
    EXPECT_FALSE(c.tables.matches("public", "audit_x"));
    EXPECT_TRUE(c.columns.excluded("public", "users", "ssn"));

    environment["PG_CAPTURE_SOURCE_TABLES_INCLUDE"] = "users";
    environment["PG_CAPTURE_SOURCE_COLUMNS_EXCLUDE"] = "users.ssn";
    EXPECT_THAT(errors(), Contains(HasSubstr("\"users\" is not of the form schema.table")));
    EXPECT_THAT(errors(), Contains(HasSubstr("\"users.ssn\" is not of the form")));
}

TEST_F(PostgresOptionsTest, AHeartbeatNeedsBothItsHalves) {
    environment["PG_CAPTURE_SOURCE_HEARTBEAT_INTERVAL_SECS"] = "10";
    EXPECT_THAT(errors(), Contains(HasSubstr("go together")));
    environment["PG_CAPTURE_SOURCE_HEARTBEAT_SQL"] = "SELECT 1";
    EXPECT_EQ(config().heartbeat_interval, seconds{10});
}

TEST_F(PostgresOptionsTest, ThePasswordIsReadAnewEachTime) {
    environment.erase("PG_PASSWORD");
    environment["PG_PASSWORD_FILE"] = "/run/secret";
    ASSERT_TRUE(files.replace("/run/secret", "one\n"));
    const auto c = config();
    EXPECT_EQ(c.connection.password()->reveal(), "one");
    ASSERT_TRUE(files.replace("/run/secret", "two\n"));
    EXPECT_EQ(c.connection.password()->reveal(), "two");
}

}  // namespace
}  // namespace pgc
