#include "kafka/connection_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/options_fixture.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// What the program declares and these options look at.
constexpr Option kElsewhere[] = {
    {.path = "sink",
     .kind = OptionKind::choice,
     .fallback = "kafka",
     .help = "where",
     .words = "console|kafka"},
};

std::vector<OptionTable> tables() {
    std::vector<OptionTable> all{OptionTable{.options = kElsewhere}};
    for (const OptionTable& table : kafka_connection_tables()) all.push_back(table);
    return all;
}

class KafkaConnectionOptionsTest : public test::OptionsFixture {
protected:
    KafkaConnectionOptionsTest() : OptionsFixture(tables(), {{"KAFKA_BROKERS", "kafka"}}) {}

    KafkaConnection config() {
        return made([&](const Settings& settings) { return kafka_connection(settings, files); });
    }
};

TEST_F(KafkaConnectionOptionsTest, TheTablesThemselvesAreSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(KafkaConnectionOptionsTest, ByDefaultNobodyIsAskedWhoHeIs) {
    const auto c = config();
    EXPECT_THAT(c.brokers, ElementsAre("kafka:9092"));
    EXPECT_EQ(c.security.protocol, "PLAINTEXT");
    EXPECT_FALSE(c.security.password);
}

TEST_F(KafkaConnectionOptionsTest, RefusesWhatIsNoBroker) {
    for (const auto* text : {"kafka:", "kafka:x", "kafka:0", "kafka:70000", "::1", "[::1", "a b:1",
                             "PLAINTEXT://kafka:9092", "user@kafka:1", ":9092"}) {
        environment["KAFKA_BROKERS"] = text;
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("kafka.brokers: each must be"))) << text;
    }
}

TEST_F(KafkaConnectionOptionsTest, PlainTextToAnotherMachineIsKnown) {
    EXPECT_TRUE(config().plain_text_to_others());
    environment["KAFKA_BROKERS"] = "localhost,127.0.0.1:9092,[::1]:9092";
    EXPECT_FALSE(config().plain_text_to_others());
    environment["KAFKA_BROKERS"] = "localhost,kafka";
    EXPECT_TRUE(config().plain_text_to_others());
    give("kafka.security.protocol", "SSL");
    EXPECT_FALSE(config().plain_text_to_others());
}

TEST_F(KafkaConnectionOptionsTest, TlsSettingsWantTls) {
    give("kafka.security.ca", "ca.pem");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("this protocol has no TLS")));
    give("kafka.security.protocol", "SSL");
    EXPECT_EQ(config().security.ca, "ca.pem");
    give("kafka.security.certificate", "c.pem");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("go together")));
    give("kafka.security.key", "k.pem");
    give("kafka.security.key_password", "planted");
    EXPECT_EQ(config().security.key_password()->reveal(), "planted");
    environment.erase("PG_CAPTURE_KAFKA_SECURITY_KEY");
    environment.erase("PG_CAPTURE_KAFKA_SECURITY_CERTIFICATE");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("no key that it could open")));
}

TEST_F(KafkaConnectionOptionsTest, SaslWantsItsMechanismAndBack) {
    give("kafka.security.protocol", "SASL_SSL");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("needs a mechanism")));
    give("kafka.security.mechanism", "SCRAM-SHA-512");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("kafka.security.username"),
                                      HasSubstr("kafka.security.password")));
    give("kafka.security.username", "cdc");
    give("kafka.security.password", "planted");
    EXPECT_EQ(config().security.mechanism, "SCRAM-SHA-512");
    give("kafka.security.protocol", "SSL");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("needs a SASL protocol")));
    give("kafka.security.mechanism", "none");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("no use for it"), HasSubstr("no use for it")));
}

TEST_F(KafkaConnectionOptionsTest, TokensWantTheirEndpoint) {
    give("kafka.security.protocol", "SASL_SSL");
    give("kafka.security.mechanism", "OAUTHBEARER");
    EXPECT_THAT(errors(), SizeIs(3));
    give("kafka.security.oauth.client_id", "cdc");
    give("kafka.security.oauth.client_secret", "planted");
    for (const auto* url : {"file:///etc/passwd", "ftp://id/token", "id/token", "https://", "x"}) {
        give("kafka.security.oauth.token_url", url);
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("https:// or http://"))) << url;
    }
    give("kafka.security.oauth.token_url", "https://me:planted@id/token");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("no user and password")));
    give("kafka.security.oauth.token_url", "https://id/token");
    give("kafka.security.oauth.extensions", "b=2,a=1");
    EXPECT_EQ(config().security.oauth.extensions, "a=1,b=2");
    EXPECT_EQ(config().security.oauth.client_secret()->reveal(), "planted");
}

TEST_F(KafkaConnectionOptionsTest, SecretsAreReadAnewEachTime) {
    give("kafka.security.protocol", "SASL_SSL");
    give("kafka.security.mechanism", "PLAIN");
    give("kafka.security.username", "cdc");
    environment["PG_CAPTURE_KAFKA_SECURITY_PASSWORD_FILE"] = "/run/secret";
    ASSERT_TRUE(files.replace("/run/secret", "one\n"));
    const auto c = config();
    EXPECT_EQ(c.security.password()->reveal(), "one");
    ASSERT_TRUE(files.replace("/run/secret", "two\n"));
    EXPECT_EQ(c.security.password()->reveal(), "two");
}

TEST_F(KafkaConnectionOptionsTest, PropertiesGoByTheAllowList) {
    give("kafka.properties", "socket.keepalive.enable=true,socket.timeout.ms=20000");
    EXPECT_THAT(config().properties, Contains(Pair("socket.timeout.ms", "20000")));
    give("kafka.properties", "plugin.library.paths=/tmp/x.so,acks=0,socket.timout.ms=1");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("acks: has an option of its own"),
                                      HasSubstr("plugin.library.paths: can't be set"),
                                      HasSubstr("did you mean socket.timeout.ms?")));
}

}  // namespace
}  // namespace pgc
