#include "kafka/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::Not;

class CapturedLines final : public LogLines {
public:
    void write(std::string_view line) noexcept override {
        const std::lock_guard lock(mutex_);
        text_ += line;
    }
    std::string text() {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    std::mutex mutex_;
    std::string text_;
};

SecretSource secret(std::string text) {
    return [text]() -> Result<Secret> { return Secret{text}; };
}

// Nobody listens on port 1.
class KafkaClientTest : public testing::Test {
protected:
    void SetUp() override { config.brokers = {"127.0.0.1:1"}; }

    Result<std::unique_ptr<KafkaClient>> make(
        std::vector<KafkaProperty> properties = {},
        KafkaClient::Kind kind = KafkaClient::Kind::producer) {
        return KafkaClient::make({.config = config,
                                  .kind = kind,
                                  .properties = properties,
                                  .clock = clock,
                                  .logger = log.logger("kafka")});
    }
    std::unique_ptr<KafkaClient> made(std::vector<KafkaProperty> properties = {}) {
        auto client = make(std::move(properties));
        EXPECT_TRUE(client) << describe(client.error());
        return std::move(*client);
    }
    // The next event within a minute; nothing when `until` came true before.
    template <typename Until>
    static KafkaEvent wait(KafkaClient& client, Until until) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (std::chrono::steady_clock::now() < end) {
            if (auto event = client.poll()) return event;
            if (until()) return nullptr;
            pollfd wanted{client.wake_fd(), POLLIN, 0};
            (void)::poll(&wanted, 1, 100);
        }
        ADD_FAILURE() << "nothing came in a minute";
        return nullptr;
    }
    static bool readable(const KafkaClient& client) {
        pollfd wanted{client.wake_fd(), POLLIN, 0};
        return ::poll(&wanted, 1, 0) == 1;
    }

    KafkaConnection config;
    ManualClock clock;
    CapturedLines lines;
    Log log{{.levels = {.level = LogLevel::trace, .modules = {}}}, lines, clock};
};

TEST_F(KafkaClientTest, TellsWhichBrokerCantBeReached) {
    const auto client = made();
    EXPECT_FALSE(client->trouble());
    wait(*client, [&] {
        return client->trouble() && client->trouble()->all_brokers &&
               !client->trouble()->error.where.empty();
    });
    const auto trouble = client->trouble();
    ASSERT_TRUE(trouble);
    EXPECT_EQ(trouble->error.category, Error::Category::connection);
    EXPECT_EQ(trouble->error.next, Error::Next::retry);
    EXPECT_EQ(trouble->error.where, "broker 127.0.0.1:1");
    EXPECT_THAT(trouble->error.what, HasSubstr("Connection refused"));
    EXPECT_THAT(trouble->error.what, Not(HasSubstr("after")));
    EXPECT_FALSE(client->failed());
}

TEST_F(KafkaClientTest, TroubleIsOverWithAnAnswerOrWhenItIsNotRepeated) {
    const auto client = made();
    wait(*client, [&] { return client->trouble().has_value(); });
    clock.advance(std::chrono::minutes{1});
    EXPECT_FALSE(client->trouble());

    const auto other = made();
    wait(*other, [&] { return other->trouble().has_value(); });
    other->answered();
    EXPECT_FALSE(other->trouble());
}

TEST_F(KafkaClientTest, WakesWhoeverWaits) {
    const auto client = made({{"test.mock.num.brokers", "1"}});
    rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(client->handle()), "t", 1, 1);
    std::string value = "lent, not copied";
    rd_kafka_topic_t* topic = rd_kafka_topic_new(client->handle(), "t", nullptr);
    ASSERT_EQ(rd_kafka_produce(topic, 0, 0, value.data(), value.size(), nullptr, 0, nullptr), 0);
    rd_kafka_topic_destroy(topic);
    const auto event = wait(*client, [] { return false; });
    ASSERT_NE(event, nullptr);
    ASSERT_EQ(rd_kafka_event_type(event.get()), RD_KAFKA_EVENT_DR);
    const auto* report = rd_kafka_event_message_next(event.get());
    EXPECT_EQ(report->err, RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(report->payload, value.data());
    EXPECT_EQ(client->poll(), nullptr);
    EXPECT_FALSE(readable(*client));
}

TEST_F(KafkaClientTest, AFatalErrorIsTold) {
    const auto client = made({{"test.mock.num.brokers", "1"}, {"enable.idempotence", "true"}});
    ASSERT_EQ(rd_kafka_test_fatal_error(client->handle(),
                                        RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "made up"),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    wait(*client, [&] { return client->failed().has_value(); });
    ASSERT_TRUE(client->failed());
    EXPECT_EQ(client->failed()->next, Error::Next::retry);
    EXPECT_THAT(client->failed()->what, HasSubstr("made up"));
}

TEST_F(KafkaClientTest, AFatalErrorThatOnlySomebodyCanFixStops) {
    const auto client = made({{"test.mock.num.brokers", "1"}, {"enable.idempotence", "true"}});
    rd_kafka_test_fatal_error(client->handle(), RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "");
    wait(*client, [&] { return client->failed().has_value(); });
    ASSERT_TRUE(client->failed());
    EXPECT_EQ(client->failed()->next, Error::Next::stop);
    EXPECT_EQ(client->failed()->category, Error::Category::permission);
}

TEST_F(KafkaClientTest, SecretsAppearNowhere) {
    config.security.protocol = "SASL_PLAINTEXT";
    config.security.mechanism = "PLAIN";
    config.security.username = "cdc";
    config.security.password = secret("pl4nted");
    // The library is made to repeat the password: it quotes what it can't resolve.
    config.brokers = {"pl4nted.invalid:1"};
    const auto client = made({{"debug", "all"}, {"log_level", "7"}});
    wait(*client, [&] { return client->trouble().has_value(); });
    EXPECT_THAT(describe(client->trouble()->error), Not(HasSubstr("pl4nted")));
    EXPECT_THAT(lines.text(), HasSubstr("***.invalid"));
    EXPECT_THAT(lines.text(), Not(HasSubstr("pl4nted")));
}

TEST_F(KafkaClientTest, AWrongPropertyIsAnErrorOfTheConfiguration) {
    const auto client = make({{"no.such.thing", "1"}});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().category, Error::Category::configuration);
    EXPECT_THAT(client.error().what, HasSubstr("no.such.thing"));
}

TEST_F(KafkaClientTest, ACertificateThatIsNoneIsAnErrorAtOnce) {
    config.security.protocol = "SSL";
    config.security.ca = "/nowhere/ca.pem";
    const auto client = make();
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().next, Error::Next::stop);
    EXPECT_THAT(client.error().what, HasSubstr("ssl.ca.location"));
    EXPECT_THAT(client.error().hint, HasSubstr("kafka.security"));
}

TEST_F(KafkaClientTest, ATokenEndpointThatIsAwayIsNotBelievedYet) {
    config.security.protocol = "SASL_PLAINTEXT";
    config.security.mechanism = "OAUTHBEARER";
    config.security.oauth = {.token_url = "http://127.0.0.1:1/token",
                             .client_id = "cdc",
                             .client_secret = secret("pl4nted"),
                             .scope = {},
                             .extensions = {}};
    const auto client = make();
    EXPECT_TRUE(client) << describe(client.error());
}

TEST_F(KafkaClientTest, EndsSoonWhoeverIsAway) {
    auto client = made();
    wait(*client, [&] { return client->trouble().has_value(); });
    const auto begin = std::chrono::steady_clock::now();
    client.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
}

TEST_F(KafkaClientTest, ConsumersAreMadeWithoutAGroup) {
    auto client = make({{"test.mock.num.brokers", "1"}}, KafkaClient::Kind::consumer);
    ASSERT_TRUE(client) << describe(client.error());
    rd_kafka_topic_t* topic = rd_kafka_topic_new((*client)->handle(), "t", nullptr);
    ASSERT_EQ(rd_kafka_consume_start_queue(topic, 0, RD_KAFKA_OFFSET_BEGINNING, (*client)->queue()),
              0);
    (void)(*client)->poll();
    rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
}

}  // namespace
}  // namespace pgc
