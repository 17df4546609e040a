// What the doctor says of a cluster in memory.
#include "sink/kafka/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace pgc {
namespace {

using Level = Finding::Level;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FakeInspector final : public KafkaInspector {
public:
    Result<std::vector<KafkaReached>> reach() override {
        if (broken) return std::unexpected(*broken);
        return reached;
    }
    Result<KafkaClusterFacts> cluster() override {
        return KafkaClusterFacts{.id = "abc",
                                 .brokers = 1,
                                 .version = version,
                                 .transaction_replicas = transaction_replicas,
                                 .transaction_max_ms = transaction_max_ms};
    }
    Result<std::vector<KafkaTopicFacts>> topics(std::span<const std::string> names) override {
        if (unanswered) return std::unexpected(*unanswered);
        std::vector<KafkaTopicFacts> facts;
        for (const std::string& name : names) {
            const auto found = there.find(name);
            facts.push_back(found == there.end() ? KafkaTopicFacts{.name = name} : found->second);
        }
        return facts;
    }
    Result<std::vector<std::optional<Error>>> try_create(
        std::span<const KafkaNewTopic> topics) override {
        std::vector<std::optional<Error>> outcomes;
        for (const KafkaNewTopic& topic : topics) {
            tried.push_back(topic);
            outcomes.push_back(refusal);
        }
        return outcomes;
    }

    std::string version = "2.8-IV1";
    std::int32_t transaction_replicas = 1;
    std::int64_t transaction_max_ms = 900'000;
    std::optional<Error> broken;
    std::optional<Error> unanswered;
    std::optional<Error> refusal;
    std::vector<KafkaReached> reached{{.broker = "k:9092", .cluster = "abc", .error = {}}};
    std::map<std::string, KafkaTopicFacts> there;
    std::vector<KafkaNewTopic> tried;
};

class KafkaCheckTest : public testing::Test {
protected:
    KafkaCheckTest() {
        config.connection.brokers = {"k:9092"};
        config.connection.security.protocol = "SSL";
        config.connection.security.username = "cdc";
        topic("cdc.public.a");
        KafkaTopicFacts& positions = topic("pg-capture.positions");
        positions.config->cleanup_policy = "compact";
    }

    KafkaTopicFacts& topic(const std::string& name) {
        return cluster.there[name] =
                   KafkaTopicFacts{.name = name,
                                   .exists = true,
                                   .partitions = 1,
                                   .replicas = 1,
                                   .in_sync = 1,
                                   .config = KafkaTopicFacts::Config{.message_bytes_max = 1'048'588,
                                                                     .min_in_sync = 1,
                                                                     .cleanup_policy = "delete"}};
    }
    KafkaTopicFacts& a() { return cluster.there.at("cdc.public.a"); }
    KafkaTopicFacts& positions() { return cluster.there.at("pg-capture.positions"); }

    Findings all() { return check_kafka(config, tables, in_topic, cluster); }
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
    std::vector<std::string> ids() {
        std::vector<std::string> ids;
        for (const Finding& finding : all()) ids.emplace_back(finding.id);
        return ids;
    }

    KafkaConfig config;
    std::vector<KafkaTable> tables{{"public", "a"}};
    bool in_topic = true;
    FakeInspector cluster;
};

TEST_F(KafkaCheckTest, AGoodSetUpHasNothingToFix) {
    EXPECT_THAT(
        ids(), ElementsAre("kafka_broker", "kafka_cluster", "kafka_position_topic", "kafka_topic"));
    for (const Finding& finding : all()) {
        EXPECT_EQ(finding.level, Level::ok) << finding.id;
        EXPECT_EQ(finding.hint, "") << finding.id;
        EXPECT_NE(finding.message, "") << finding.id;
    }
    EXPECT_THAT(cluster.tried, IsEmpty());
}

TEST_F(KafkaCheckTest, WithTransactionsItSaysWhatConsumersMustSet) {
    config.transactional_id = "pg-capture.shop";
    EXPECT_THAT(bad(), IsEmpty());
    const Finding last = all().back();
    EXPECT_EQ(last.id, "kafka_transactions");
    EXPECT_THAT(last.message, HasSubstr("read_committed"));
    EXPECT_THAT(last.message, HasSubstr("--operation Write --transactional-id pg-capture.shop"));
}

TEST_F(KafkaCheckTest, BrokersThatTakeNoTransactionAsLongAsOursBlock) {
    config.transactional_id = "pg-capture.shop";
    cluster.transaction_max_ms = 10'000;
    EXPECT_EQ(only().level, Level::blocking);
    EXPECT_THAT(only().message, HasSubstr("at most 10000 ms"));
}

TEST_F(KafkaCheckTest, TooFewBrokersForTheTopicOfTransactionsBlock) {
    config.transactional_id = "pg-capture.shop";
    cluster.transaction_replicas = 3;
    EXPECT_EQ(only().level, Level::blocking);
    EXPECT_THAT(only().message, HasSubstr("with 3 replicas, and there is 1"));
    topic("__transaction_state");
    EXPECT_THAT(bad(), IsEmpty()) << "it is there already";
    topic("__transaction_state").config->min_in_sync = 2;
    EXPECT_EQ(only().level, Level::warning);
}

TEST_F(KafkaCheckTest, PlainTextToOthersAndWeakAcksAreWarnedOf) {
    config.connection.security.protocol = "PLAINTEXT";
    EXPECT_EQ(only().id, "kafka_plain_text");
    EXPECT_EQ(only().level, Level::warning);
    config.connection.security.protocol = "SSL";
    config.acks = KafkaAcks::leader;
    EXPECT_EQ(only().id, "kafka_acks");
    EXPECT_EQ(only().hint, "set kafka.acks to all");
}

TEST_F(KafkaCheckTest, AnOAuthSecretInPlainTextIsWarnedOf) {
    config.connection.security.protocol = "SASL_SSL";
    config.connection.security.mechanism = "OAUTHBEARER";
    config.connection.security.oauth.token_url = "http://127.evil.com/token";
    EXPECT_EQ(only().id, "kafka_oauth_plain_text");
    EXPECT_EQ(only().level, Level::warning);
}

TEST_F(KafkaCheckTest, AnAddressThatCantBeReachedBlocksOnlyWhenItIsTheLast) {
    const Error refused = retry(Error::Category::connection, "refused").with_hint("start it");
    cluster.reached.push_back({.broker = "other:1", .cluster = {}, .error = refused});
    EXPECT_EQ(only().level, Level::warning);
    EXPECT_EQ(only().subject, "broker other:1");
    cluster.reached.erase(cluster.reached.begin());
    EXPECT_EQ(only().level, Level::blocking);
    EXPECT_EQ(only().hint, "start it");
}

TEST_F(KafkaCheckTest, AddressesOfTwoClustersAreRefused) {
    cluster.reached.push_back({.broker = "other:1", .cluster = "xyz", .error = {}});
    EXPECT_EQ(only().id, "kafka_clusters");
    EXPECT_THAT(only().message, HasSubstr("other:1 of cluster xyz"));
}

TEST_F(KafkaCheckTest, UnreachableAdvertisedAddressesAreToldApart) {
    cluster.reached[0].error = stop(Error::Category::connection, "named ones can't be reached");
    EXPECT_EQ(only().id, "kafka_advertised");
    EXPECT_EQ(only().level, Level::blocking);
}

TEST_F(KafkaCheckTest, AClientThatCantBeMadeIsOneFinding) {
    cluster.broken = stop(Error::Category::configuration, "no such certificate");
    EXPECT_EQ(only().id, "kafka_client");
    EXPECT_EQ(only().message, "no such certificate");
}

TEST_F(KafkaCheckTest, OldBrokersAndCodecsTheyDontKnowAreTold) {
    config.compression = "zstd";
    for (const char* version : {"2.1-IV0", "", "what", "3."}) {
        cluster.version = version;
        EXPECT_THAT(bad(), IsEmpty()) << version;
    }
    cluster.version = "2.0-IV1";
    EXPECT_EQ(only().id, "kafka_compression");
    config.compression = "snappy";
    EXPECT_THAT(bad(), IsEmpty());
    cluster.version = "1.1-IV0";
    EXPECT_EQ(only().id, "kafka_version");
}

TEST_F(KafkaCheckTest, ATopicThatMayNotBeCreatedHasToBeMade) {
    cluster.there.erase("cdc.public.a");
    config.topics.create = false;
    config.topics.partitions = 3;
    config.topics.replication_factor = 2;
    config.topics.config = {{"retention.ms", "1000"}};
    EXPECT_EQ(only().id, "kafka_topic");
    EXPECT_EQ(only().hint,
              "kafka-topics.sh --bootstrap-server k:9092 --create --topic cdc.public.a "
              "--partitions 3 --replication-factor 2 --config retention.ms=1000");
}

TEST_F(KafkaCheckTest, MissingTopicsAreTriedWithoutMakingThem) {
    cluster.there.clear();
    config.oversize = KafkaOversize::dead_letter;
    EXPECT_THAT(bad(), IsEmpty());
    ASSERT_EQ(cluster.tried.size(), 3U);
    EXPECT_EQ(cluster.tried[0].name, "cdc.public.a");
    EXPECT_EQ(cluster.tried[1].name, "cdc.dead_letters");
    EXPECT_EQ(cluster.tried[2].name, "pg-capture.positions");
    EXPECT_EQ(cluster.tried[2].partitions, 1);
}

TEST_F(KafkaCheckTest, WhatTheClusterRefusesToCreateIsTold) {
    cluster.there.erase("cdc.public.a");
    cluster.refusal =
        stop(Error::Category::configuration, "larger than available brokers").with_hint("lower it");
    EXPECT_EQ(only().hint, "lower it");
    cluster.refusal = stop(Error::Category::permission, "refused");
    EXPECT_THAT(only().hint, HasSubstr("kafka-acls.sh --bootstrap-server k:9092 --add "
                                       "--allow-principal User:cdc --operation Create"));
}

TEST_F(KafkaCheckTest, MissingRightsAreToldWithTheAcl) {
    a().rights.write = false;
    EXPECT_EQ(only().message, "we may not write to it");
    EXPECT_THAT(only().hint, HasSubstr("--operation Write --topic cdc.public.a"));
    a().rights.write = true;
    a().error = stop(Error::Category::permission, "refused");
    EXPECT_THAT(only().hint, HasSubstr("--topic cdc.public.a"));
    a().error.reset();
    positions().error = stop(Error::Category::permission, "refused");
    EXPECT_THAT(only().hint, HasSubstr("--operation Read"));
    positions().error.reset();
    positions().rights.read = false;
    EXPECT_EQ(only().id, "kafka_position_topic");
    EXPECT_THAT(only().hint, HasSubstr("--operation Read"));
}

TEST_F(KafkaCheckTest, MoreReplicasInSyncThanThereAreRefuseEverything) {
    a().config->min_in_sync = 2;
    EXPECT_EQ(only().level, Level::blocking);
    EXPECT_THAT(only().hint, HasSubstr("--add-config min.insync.replicas=1"));
    a().replicas = 2;
    EXPECT_EQ(only().level, Level::warning);
    config.acks = KafkaAcks::leader;
    EXPECT_EQ(only().id, "kafka_acks");
}

TEST_F(KafkaCheckTest, ATopicWithSmallBatchesIsWarnedOf) {
    a().config->message_bytes_max = 1000;
    EXPECT_EQ(only().level, Level::warning);
    EXPECT_THAT(only().hint, HasSubstr("max.message.bytes=1048588"));
    a().config.reset();  // we may not read it
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(KafkaCheckTest, AFixedPartitionHasToBeThere) {
    config.partitioning = {.by = KafkaPartitionBy::fixed, .fixed = 1};
    EXPECT_THAT(only().message, HasSubstr("has 1 partitions, none of them is number 1"));
    a().partitions = 2;
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(KafkaCheckTest, PartitionsWithoutLeaderAreWarnedOf) {
    a().leaderless = 1;
    EXPECT_EQ(only().level, Level::warning);
}

TEST_F(KafkaCheckTest, PositionsNeedOneCompactedPartition) {
    positions().partitions = 3;
    EXPECT_THAT(only().message, HasSubstr("has 3 partitions"));
    EXPECT_THAT(only().hint, HasSubstr("pg-capture adopt creates it again"));
    positions().partitions = 1;
    positions().config->cleanup_policy = "delete";
    EXPECT_THAT(only().hint, HasSubstr("cleanup.policy=compact"));
    in_topic = false;
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(KafkaCheckTest, TheirTopicIsNotMadeEitherWhereTopicsAreNotToBeCreated) {
    cluster.there.erase("pg-capture.positions");
    config.topics.create = false;
    const auto f = only();
    EXPECT_EQ(f.id, "kafka_position_topic");
    EXPECT_EQ(f.level, Level::blocking) << "as a start refuses it";
    EXPECT_THAT(f.hint, HasSubstr("kafka-topics.sh --bootstrap-server k:9092 --create --topic "
                                  "pg-capture.positions --partitions 1"));
    EXPECT_THAT(f.hint, HasSubstr("pg-capture adopt"));
    EXPECT_TRUE(cluster.tried.empty());
}

TEST_F(KafkaCheckTest, NorIsThatOfHeartbeats) {
    config.heartbeat_topic = "__debezium-heartbeat.{prefix}";
    EXPECT_EQ(bad().size(), 0U) << "it would be made";
    config.topics.create = false;
    EXPECT_EQ(only().id, "kafka_heartbeat_topic");
    EXPECT_THAT(only().hint, HasSubstr("--topic __debezium-heartbeat.cdc --partitions 1"));
    topic("__debezium-heartbeat.cdc");
    EXPECT_THAT(bad(), IsEmpty());
}

TEST_F(KafkaCheckTest, ManyBadTopicsDontFloodTheAnswer) {
    config.topics.create = false;
    tables.clear();
    for (int i = 0; i < 100; ++i) tables.push_back({"public", "t" + std::to_string(i)});
    EXPECT_EQ(bad().size(), 20U);
}

TEST_F(KafkaCheckTest, AClusterThatDoesNotAnswerAboutTopicsIsTold) {
    cluster.unanswered = retry(Error::Category::connection, "no answer within 5 s");
    EXPECT_EQ(only().id, "kafka_topics");
}

}  // namespace
}  // namespace pgc
