#include "kafka/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <map>

namespace pgc {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

std::string refusal(std::string_view name, std::string_view value = "1") {
    const auto refused = refuse_property(name, value);
    if (!refused) return "";
    return refused->reason + "|" + refused->nearest + "|" + refused->hint;
}

std::map<std::string, std::string> made_of(const KafkaConnection& config) {
    std::map<std::string, std::string> all;
    const auto properties = connection_properties(config);
    for (const auto& [name, value] : properties->all) all[name] = value;
    return all;
}

SecretSource given(std::string text) {
    return [text]() -> Result<Secret> { return Secret{text}; };
}

TEST(KafkaPropertiesTest, AllowWhatOnlyTunes) {
    EXPECT_THAT(refusal("socket.timeout.ms", "30000"), IsEmpty());
    EXPECT_THAT(refusal("compression.level", "3"), IsEmpty());
    EXPECT_THAT(refusal("ssl.cipher.suites", "ECDHE-RSA-AES256-GCM-SHA384"), IsEmpty());
    EXPECT_THAT(refusal("socket.keepalive.enable", "true"), IsEmpty());
}

TEST(KafkaPropertiesTest, RefuseWhatLoadsCodeRunsCommandsOrTouchesFiles) {
    for (const auto* name :
         {"plugin.library.paths", "ssl.engine.location", "ssl.engine.id", "ssl.providers",
          "sasl.kerberos.kinit.cmd", "sasl.kerberos.keytab", "ssl.keystore.location",
          "ssl.crl.location", "offset.store.path", "offset.store.method", "debug",
          "sasl.oauthbearer.config", "enable.sasl.oauthbearer.unsecure.jwt"}) {
        EXPECT_THAT(refusal(name), HasSubstr("can't be set: it ")) << name;
    }
}

TEST(KafkaPropertiesTest, SayWhichOptionDoesIt) {
    EXPECT_THAT(refusal("bootstrap.servers"), HasSubstr("use kafka.brokers"));
    EXPECT_THAT(refusal("sasl.password"), HasSubstr("use kafka.security.password"));
    EXPECT_THAT(refusal("ssl.key.location"), HasSubstr("use kafka.security.key"));
    EXPECT_THAT(refusal("linger.ms"), HasSubstr("use kafka.linger_ms"));
}

TEST(KafkaPropertiesTest, KeepWhatDeliveryDependsOn) {
    for (const auto* name : {"enable.idempotence", "message.timeout.ms", "max.in.flight",
                             "message.max.bytes", "retries", "transactional.id"}) {
        EXPECT_THAT(refusal(name), HasSubstr("delivery depends on it")) << name;
    }
}

TEST(KafkaPropertiesTest, NameTheNearestOfAnUnknownOne) {
    EXPECT_EQ(refusal("socket.timout.ms"), "librdkafka knows no such property|socket.timeout.ms|");
    EXPECT_EQ(refusal("what.ever"), "librdkafka knows no such property||");
    EXPECT_THAT(refusal("group.id"), HasSubstr("has no use here"));
    EXPECT_THAT(refusal("auto.offset.reset"), HasSubstr("has no use here"));
    EXPECT_THAT(refusal("dr_msg_cb"), HasSubstr("has no use here"));
}

TEST(KafkaPropertiesTest, RefuseAValueWithoutRepeatingIt) {
    EXPECT_EQ(refusal("socket.timeout.ms", "s3cret"),
              "librdkafka doesn't take this value for it||");
    EXPECT_THAT(refusal("broker.address.family", "v5"), Not(IsEmpty()));
}

// Nothing librdkafka knows slips through: what isn't on the list is refused.
TEST(KafkaPropertiesTest, JudgeEveryPropertyOfTheLibrary) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::size_t count = 0;
    const char** names = rd_kafka_conf_dump(conf, &count);
    ASSERT_GT(count, 100U);
    int allowed = 0;
    for (std::size_t i = 0; i + 1 < count; i += 2) {
        const std::string name = names[i];
        const bool passes = !refuse_property(name, names[i + 1]);
        allowed += passes ? 1 : 0;
        if (!passes) continue;
        for (const auto* bad : {"location", "path", "cmd", "engine", "plugin", "password", "secret",
                                "pem", "_cb", "url"}) {
            EXPECT_THAT(name, Not(HasSubstr(bad)));
        }
    }
    EXPECT_GT(allowed, 20);
    rd_kafka_conf_dump_free(names, count);
    rd_kafka_conf_destroy(conf);
}

TEST(KafkaPropertiesTest, OfTheUserWinOverOurs) {
    KafkaConnection config;
    config.brokers = {"a:1", "b:2"};
    EXPECT_THAT(made_of(config), Contains(Pair("bootstrap.servers", "a:1,b:2")));
    EXPECT_THAT(made_of(config), Contains(Pair("reconnect.backoff.max.ms", "1000")));
    config.properties = {{"reconnect.backoff.max.ms", "2000"}};
    EXPECT_THAT(made_of(config), Contains(Pair("reconnect.backoff.max.ms", "2000")));
}

TEST(KafkaPropertiesTest, ComeFromSecurity) {
    KafkaConnection config;
    config.security.protocol = "SASL_SSL";
    config.security.mechanism = "SCRAM-SHA-512";
    config.security.username = "cdc";
    config.security.password = given("planted");
    const auto all = made_of(config);
    EXPECT_THAT(all, Contains(Pair("security.protocol", "SASL_SSL")));
    EXPECT_THAT(all, Contains(Pair("sasl.mechanisms", "SCRAM-SHA-512")));
    EXPECT_THAT(all, Contains(Pair("sasl.username", "cdc")));
    EXPECT_THAT(all, Contains(Pair("sasl.password", "planted")));
    EXPECT_THAT(all, Contains(Pair("ssl.ca.location", "probe")));
    EXPECT_EQ(connection_properties(config)->secrets, std::vector{Secret{"planted"}});
}

TEST(KafkaPropertiesTest, FetchTokensByOpenIdConnect) {
    KafkaConnection config;
    config.security.protocol = "SASL_PLAINTEXT";
    config.security.mechanism = "OAUTHBEARER";
    config.security.oauth = {.token_url = "https://id/token",
                             .client_id = "cdc",
                             .client_secret = given("planted"),
                             .scope = "kafka",
                             .extensions = "a=b"};
    const auto all = made_of(config);
    EXPECT_THAT(all, Contains(Pair("sasl.oauthbearer.method", "oidc")));
    EXPECT_THAT(all, Contains(Pair("sasl.oauthbearer.client.secret", "planted")));
    EXPECT_THAT(all, Contains(Pair("sasl.oauthbearer.extensions", "a=b")));
    EXPECT_THAT(all, Not(Contains(Key("sasl.username"))));
}

TEST(KafkaPropertiesTest, FailWithTheSecretThatCantBeRead) {
    KafkaConnection config;
    config.security.protocol = "SSL";
    config.security.key_password = []() -> Result<Secret> {
        return std::unexpected(stop(Error::Category::configuration, "no such file"));
    };
    EXPECT_EQ(connection_properties(config).error().what, "no such file");
}

}  // namespace
}  // namespace pgc
