#include "cli/pipeline_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.h"
#include "config/loader.h"

namespace pgc {
namespace {

class PipelineSpecTest : public testing::Test {
protected:
    PipelineSpec spec(Environment more) {
        more.merge(Environment{{"PG_DATABASE", "db"},
                               {"PG_USERNAME", "cdc"},
                               {"PG_PASSWORD", "hush-hush"},
                               {"PG_SLOT_NAME", "shop"},
                               {"KAFKA_BROKERS", "kafka"}});
        const auto settings =
            load(declarations(), {.file = "", .environment = more, .command_line = {}}, files);
        EXPECT_TRUE(settings);
        return pipeline_spec(*settings, files);
    }
    SimulatedFiles files;
};

TEST_F(PipelineSpecTest, HoldsAllAndNeedsTheSettingsNoMore) {
    const PipelineSpec made = spec({{"PG_CAPTURE_FORMAT_TOMBSTONES", "true"},
                                    {"PG_CAPTURE_MEMORY_BUDGET_BYTES", "2000000"},
                                    {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE", "never"},
                                    {"PG_CAPTURE_SOURCE_TOAST", "placeholder"}});
    EXPECT_EQ(made.name(), "shop");
    EXPECT_EQ(made.postgres.slot, "shop");
    EXPECT_EQ(made.sink, SinkKind::kafka);
    ASSERT_TRUE(made.kafka);
    EXPECT_EQ(made.kafka->database, "db");
    EXPECT_EQ(made.position_file, "");
    EXPECT_EQ(made.options.flow.budget_bytes, 2'000'000U);
    EXPECT_TRUE(made.options.flow.encoder.tombstones);
    EXPECT_EQ(made.options.snapshot, SnapshotMode::never);
    EXPECT_EQ(made.format.unsent_toast, UnsentToast::placeholder);
    EXPECT_EQ(made.keepalive_interval, std::chrono::seconds{10});
    EXPECT_EQ(made.settings.word("sink"), "kafka");
}

TEST_F(PipelineSpecTest, ATransactionIsNamedAfterItsPipeline) {
    EXPECT_FALSE(spec({}).kafka->exactly_once());
    const PipelineSpec made = spec({{"PG_CAPTURE_DELIVERY", "exactly_once"}});
    EXPECT_EQ(made.kafka->transactional_id, "pg-capture.shop");
    EXPECT_EQ(made.kafka->pipeline, "shop");
    const PipelineSpec named = spec(
        {{"PG_CAPTURE_DELIVERY", "exactly_once"}, {"PG_CAPTURE_KAFKA_TRANSACTIONAL_ID", "mine"}});
    EXPECT_EQ(named.kafka->transactional_id, "mine");
    EXPECT_FALSE(named.kafka->whole_transactions);
    const PipelineSpec whole =
        spec({{"PG_CAPTURE_DELIVERY", "exactly_once"}, {"PG_CAPTURE_CONSISTENCY", "transaction"}});
    EXPECT_TRUE(whole.options.flow.whole_transactions);
    EXPECT_EQ(whole.kafka->transaction_max(), kWhole_transaction_max);
}

TEST_F(PipelineSpecTest, MessageKeysMayBeNamedInDebeziumsSpelling) {
    const Environment debezium{{"PG_CAPTURE_FORMAT_TYPE", "debezium"}};
    Environment theirs{{"PG_CAPTURE_FORMAT_DEBEZIUM_MESSAGE_KEY_COLUMNS", "(.*).orders:region,id"}};
    theirs.merge(Environment{debezium});
    EXPECT_THAT(spec(theirs).postgres.message_keys.of("public", "orders"),
                testing::ElementsAre("region", "id"));
    Environment ours{{"PG_CAPTURE_SOURCE_MESSAGE_KEYS", "public.orders=id"}};
    ours.merge(Environment{debezium});
    EXPECT_THAT(spec(ours).postgres.message_keys.of("public", "orders"),
                testing::ElementsAre("id"));
}

TEST_F(PipelineSpecTest, UniqueIndexesMakeKeysInDebeziumsFormsOnly) {
    EXPECT_FALSE(spec({}).postgres.unique_keys);
    EXPECT_TRUE(spec({{"PG_CAPTURE_FORMAT_TYPE", "debezium"}}).postgres.unique_keys);
    EXPECT_TRUE(spec({{"PG_CAPTURE_FORMAT_TYPE", "flat"}}).postgres.unique_keys);
}

TEST_F(PipelineSpecTest, ColumnsToPartitionByAreForTheCheckToo) {
    Environment given{{"PG_CAPTURE_KAFKA_PARTITION_COLUMNS", "public.orders=region"}};
    given.merge(Environment{{"PG_CAPTURE_KAFKA_PARTITIONER", "columns"}});
    EXPECT_THAT(spec(given).postgres.partition_columns.of("public", "orders"),
                testing::ElementsAre("region"));
    EXPECT_TRUE(spec({}).postgres.partition_columns.empty());
}

TEST_F(PipelineSpecTest, HeartbeatsHaveTheTopicOfDebezium) {
    EXPECT_FALSE(spec({}).kafka->heartbeat_topic);
    EXPECT_FALSE(spec({{"PG_CAPTURE_FORMAT_TYPE", "flat"}}).kafka->heartbeat_topic);
    const PipelineSpec made = spec({{"PG_CAPTURE_FORMAT_TYPE", "debezium"},
                                    {"PG_CAPTURE_FORMAT_DEBEZIUM_HEARTBEAT_INTERVAL_MS", "300"}});
    EXPECT_EQ(made.kafka->heartbeat_topic, "__debezium-heartbeat.{prefix}");
    EXPECT_EQ(made.options.flow.heartbeat_interval, std::chrono::milliseconds{300});
}

TEST_F(PipelineSpecTest, MarksOfTransactionsAreKafkas) {
    EXPECT_FALSE(spec({}).options.flow.encoder.transaction_marks);
    EXPECT_TRUE(
        spec({{"PG_CAPTURE_KAFKA_TRANSACTIONS", "true"}}).options.flow.encoder.transaction_marks);
    EXPECT_FALSE(spec({{"PG_CAPTURE_KAFKA_TRANSACTIONS", "true"}, {"PG_CAPTURE_SINK", "discard"}})
                     .options.flow.encoder.transaction_marks);
}

TEST_F(PipelineSpecTest, APositionIsInAFileWhereThatIsNamedOrThereIsNoKafka) {
    EXPECT_EQ(spec({{"REPLICATION_CHECKPOINT_FILE", "/p"}}).position_file, "/p");
    const PipelineSpec discarding =
        spec({{"PG_CAPTURE_SINK", "discard"}, {"PG_CAPTURE_NAME", "n"}});
    EXPECT_EQ(discarding.name(), "n");
    EXPECT_FALSE(discarding.kafka);
    EXPECT_EQ(discarding.position_file, "/var/lib/pg-capture/n.position");
}

}  // namespace
}  // namespace pgc
