#include "sink/kafka/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/connection_options.h"
#include "sink/kafka/option_checks.h"
#include "support/options_fixture.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What other rooms declare and these options look at.
constexpr Option kElsewhere[] = {
    {.path = "sink",
     .kind = OptionKind::choice,
     .fallback = "kafka",
     .help = "where",
     .words = "console|kafka"},
    {.path = "format.headers", .kind = OptionKind::boolean, .fallback = "true", .help = "headers"},
};

std::vector<OptionTable> tables() {
    std::vector<OptionTable> all{OptionTable{.options = kElsewhere}};
    for (const OptionTable& table : kafka_connection_tables()) all.push_back(table);
    for (const OptionTable& table : kafka_option_tables()) all.push_back(table);
    return all;
}

class KafkaOptionsTest : public test::OptionsFixture {
protected:
    KafkaOptionsTest() : OptionsFixture(tables(), {{"KAFKA_BROKERS", "kafka"}}) {}

    KafkaConfig config() {
        return made(
            [&](const Settings& settings) { return kafka_config(settings, "shop", files); });
    }
};

TEST_F(KafkaOptionsTest, TheTablesThemselvesAreSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(KafkaOptionsTest, DefaultsAreThoseOfTheContract) {
    const auto c = config();
    EXPECT_THAT(c.connection.brokers, ElementsAre("kafka:9092"));
    EXPECT_EQ(c.database, "shop");
    EXPECT_EQ(c.topic_prefix, "cdc");
    EXPECT_EQ(c.topic, "{prefix}.{schema}.{table}");
    EXPECT_EQ(c.message_topic, "{prefix}.messages");
    EXPECT_EQ(c.dead_letter_topic, "{prefix}.dead_letters");
    EXPECT_EQ(c.state_topic, "pg-capture.positions");
    EXPECT_TRUE(c.topics.create);
    EXPECT_EQ(c.topics.partitions, 1);
    EXPECT_EQ(c.topics.replication_factor, -1);
    EXPECT_EQ(c.partitioning.by, KafkaPartitionBy::key);
    EXPECT_EQ(c.compression, "snappy");
    EXPECT_EQ(c.acks, KafkaAcks::all);
    EXPECT_EQ(c.linger_max, std::chrono::milliseconds{100});
    EXPECT_FALSE(c.batch_bytes_max);
    EXPECT_EQ(c.oversize, KafkaOversize::fail);
    EXPECT_TRUE(c.headers);
}

TEST_F(KafkaOptionsTest, TheShortVariablesAreUnderstood) {
    environment["KAFKA_BROKERS"] = "a:1,[::1]:2,c";
    environment["KAFKA_TOPIC_PREFIX"] = "shop";
    environment["KAFKA_COMPRESSION"] = "lz4";
    environment["KAFKA_ACKS"] = "1";
    environment["KAFKA_LINGER_MS"] = "5";
    environment["KAFKA_BATCH_SIZE"] = "65536";
    const auto c = config();
    EXPECT_THAT(c.connection.brokers, ElementsAre("a:1", "[::1]:2", "c:9092"));
    EXPECT_EQ(c.topic_prefix, "shop");
    EXPECT_EQ(c.compression, "lz4");
    EXPECT_TRUE(c.may_lose());
    EXPECT_EQ(c.linger_max, std::chrono::milliseconds{5});
    EXPECT_EQ(c.batch_bytes_max, 65536U);
}

TEST_F(KafkaOptionsTest, ABatchSizeThatIsGivenIsALimitEvenIfItIsTheDefault) {
    environment["KAFKA_BATCH_SIZE"] = "16384";
    EXPECT_EQ(config().batch_bytes_max, 16384U);
}

TEST_F(KafkaOptionsTest, NothingMayBeLostByDefault) {
    EXPECT_FALSE(config().may_lose());
    EXPECT_EQ(KafkaConfig{}.acks, KafkaAcks::all);
}

TEST_F(KafkaOptionsTest, BrokersAreNeededForKafkaOnly) {
    environment.clear();
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("required with sink: kafka")));
    give("sink", "console");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(KafkaOptionsTest, TemplatesAndNamesAreChecked) {
    give("kafka.topic", "{prefix}.{tabel}");
    give("kafka.message_topic", "{table}");
    give("dead_letter_topic", "dead letters");
    give("kafka.topic_prefix", "");
    give("state.topic", "..");
    EXPECT_THAT(errors(), SizeIs(5));
}

TEST_F(KafkaOptionsTest, ThePipelinesOwnTopicsAreThree) {
    give("dead_letter_topic", "{prefix}.messages");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("both are the same topic")));
    give("dead_letter_topic", "cdc.messages");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("both are the same topic")));
    give("dead_letter_topic", "pg-capture.positions");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("both are the same topic")));
}

TEST_F(KafkaOptionsTest, MarksOfTransactionsHaveATopicOnlyIfTheyAreWanted) {
    EXPECT_EQ(config().transaction_topic, std::nullopt);
    give("kafka.transactions", "true");
    EXPECT_EQ(config().transaction_topic, "{prefix}.transactions");
    give("kafka.transaction_topic", "{prefix}.messages");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("both are the same topic")));
    give("kafka.transaction_topic", "{table}");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("stands for nothing here")));
    give("kafka.transactions", "false");
    give("kafka.transaction_topic", "mine");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("nothing is written about transactions")));
}

TEST_F(KafkaOptionsTest, PartitionersNeedWhatBelongsToThem) {
    give("kafka.partitioner", "columns");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("no table's columns are named")));
    give("kafka.partition_columns", "public.orders=customer_id+region,shop.*=id");
    const auto c = config();
    ASSERT_THAT(c.partition_columns, SizeIs(2));
    EXPECT_THAT(c.partition_columns[0].columns, ElementsAre("customer_id", "region"));
    EXPECT_THAT(c.partition_columns[1].columns, ElementsAre("id"));
    give("kafka.partition_columns", "orders=a+");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("schema.table"), HasSubstr("a or a+b")));
    give("kafka.partitioner", "key");
    EXPECT_THAT(errors(), Contains(HasSubstr("only the partitioner columns")));
}

TEST_F(KafkaOptionsTest, AFixedPartitionMustBeThere) {
    give("kafka.fixed_partition", "3");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("only the partitioner fixed")));
    give("kafka.partitioner", "fixed");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("has the partitions 0 to 0")));
    give("kafka.topics.partitions", "4");
    EXPECT_EQ(config().partitioning.fixed, 3);
    give("kafka.topics.partitions", "1");
    give("kafka.topics.create", "false");
    EXPECT_EQ(config().partitioning.by, KafkaPartitionBy::fixed);
}

TEST_F(KafkaOptionsTest, ATopicHasReplicas) {
    give("kafka.topics.replication_factor", "0");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("at least one replica")));
}

TEST_F(KafkaOptionsTest, WithoutAcknowledgementsNothingIsKnownToBeTooLarge) {
    environment["KAFKA_ACKS"] = "0";
    give("kafka.oversize", "dead_letter");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("no broker says")));
}

TEST_F(KafkaOptionsTest, EverythingWrongIsToldAtOnceWithItsPlace) {
    ASSERT_TRUE(files.replace("shop.yaml",
                              "kafka:\n"
                              "  brokers: [\"kafka:0\"]\n"
                              "  topic: \"{nothing}\"\n"
                              "  security: {mechanism: PLAIN}\n"
                              "  properties: {acks: all}\n"));
    const auto settings = pgc::load(declarations, {"shop.yaml", {}, {}}, files);
    ASSERT_FALSE(settings);
    std::vector<std::string> places;
    for (const auto& error : settings.error()) places.push_back(error.where);
    EXPECT_THAT(places, Contains("shop.yaml:2"));
    EXPECT_THAT(places, Contains("shop.yaml:3"));
    EXPECT_THAT(places, Contains(HasSubstr("shop.yaml:4")));
    EXPECT_THAT(places, Contains("shop.yaml:5"));
}

}  // namespace
}  // namespace pgc
