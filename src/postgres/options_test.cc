#include "postgres/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pgclient/connection_options.h"
#include "support/options_fixture.h"

namespace pgc {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// With the connection's, as the program has them.
std::vector<OptionTable> tables() {
    std::vector<OptionTable> all{kPostgresConnectionOptions};
    const auto ours = postgres_option_tables();
    all.insert(all.end(), ours.begin(), ours.end());
    return all;
}

class PostgresOptionsTest : public test::OptionsFixture {
protected:
    PostgresOptionsTest()
        : OptionsFixture(
              tables(),
              {{"PG_DATABASE", "shop"}, {"PG_USERNAME", "cdc"}, {"PG_PASSWORD", "s3cret"}}) {}

    PostgresConfig config() {
        return made([&](const Settings& settings) { return postgres_config(settings, files); });
    }
};

TEST_F(PostgresOptionsTest, TheTablesThemselvesAreSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(PostgresOptionsTest, DefaultsAreThoseOfTheContract) {
    const auto c = config();
    ASSERT_EQ(c.connection.hosts.size(), 1U);
    EXPECT_EQ(to_string(c.connection.hosts[0]), "localhost:5432");
    EXPECT_EQ(c.publication, "pg_replicate_kafka_pub");
    EXPECT_EQ(c.slot, "pg_replicate_kafka_slot");
    EXPECT_TRUE(c.tables.everything());
    EXPECT_FALSE(c.tables_given);
    EXPECT_TRUE(c.manage_publication);
    EXPECT_TRUE(c.binary);
    EXPECT_EQ(c.toast, ToastMode::omit);
}

TEST_F(PostgresOptionsTest, RefusesASlotNameTheServerWouldRefuse) {
    environment["PG_SLOT_NAME"] = "My-Slot";
    EXPECT_THAT(errors(), Contains(HasSubstr("a-z, 0-9 and _")));
    environment["PG_SLOT_NAME"] = std::string(64, 'a');
    EXPECT_THAT(errors(), Contains(HasSubstr("63 bytes")));
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

TEST_F(PostgresOptionsTest, MessageKeysAreReadAndRefused) {
    EXPECT_TRUE(config().message_keys.empty());
    give("source.message_keys", "public.orders=customer_id+id,audit.*=at");
    EXPECT_THAT(config().message_keys.of("public", "orders"), ElementsAre("customer_id", "id"));
    EXPECT_THAT(config().message_keys.of("audit", "log"), ElementsAre("at"));
    give("source.message_keys", "orders=id,public.orders=a+");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("\"orders\" is not of the form schema.table"),
                                      HasSubstr("not of the form a or a+b")));
}

TEST_F(PostgresOptionsTest, AHeartbeatNeedsBothItsHalves) {
    environment["PG_CAPTURE_SOURCE_HEARTBEAT_INTERVAL_SECS"] = "10";
    EXPECT_THAT(errors(), Contains(HasSubstr("go together")));
    environment["PG_CAPTURE_SOURCE_HEARTBEAT_SQL"] = "SELECT 1";
    EXPECT_EQ(config().heartbeat_interval, seconds{10});
}

}  // namespace
}  // namespace pgc
