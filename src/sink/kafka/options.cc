#include "sink/kafka/options.h"

#include <utility>

#include "kafka/connection_options.h"
#include "sink/kafka/option_checks.h"

namespace pgc {
namespace {

constexpr Option kMainOptions[] = {
    {.path = "kafka.topic_prefix",
     .fallback = "cdc",
     .variable = "KAFKA_TOPIC_PREFIX",
     .help = "what {prefix} stands for in names of topics"},
    {.path = "kafka.topic",
     .fallback = "{prefix}.{schema}.{table}",
     .help = "name of a table's topic, of {prefix}, {db}, {schema}, {table} and literal text",
     .doc = "Characters that no topic's name can hold become `_`, and a name changed like that "
            "ends in a hash of what it was, unless messages are of Debezium's form, whose names of "
            "topics have none. Two tables that would get the same name are an error; "
            "where the template has no `{table}`, tables share a topic by intention."},
    {.path = "kafka.message_topic",
     .fallback = "{prefix}.messages",
     .help = "topic of logical messages (pg_logical_emit_message)",
     .doc = "`{prefix}` and `{db}` may stand in it."},
    {.path = "kafka.transactions",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "report where each transaction of the source begins and ends",
     .doc =
         "Two records a transaction go to `kafka.transaction_topic`: `BEGIN`, and `END` with how "
         "many records each table has of it. A transaction without records has none. "
         "docs/reference/messages.md shows them."},
    {.path = "kafka.transaction_topic",
     .fallback = "{prefix}.transactions",
     .help = "topic of the records of kafka.transactions",
     .doc = "`{prefix}` and `{db}` may stand in it. Both records of a transaction have the same "
            "key. It is made with one partition, so that they come in the order of commits."},
    {.path = "kafka.partitioner",
     .kind = OptionKind::choice,
     .fallback = "key",
     .help = "what decides a record's partition",
     .doc = "`key`: the message's key, as Kafka's Java client does it, so one key's records keep "
            "their order. `table`: all rows of a table go to one partition, which keeps the order "
            "of the table. `columns`: the columns in `partition_columns`. `round_robin`: each "
            "partition in turn, without any order. `fixed`: `fixed_partition`. Records without a "
            "key go by the table's name.",
     .words = kKafkaPartitioners.all()},
    {.path = "kafka.partition_columns",
     .kind = OptionKind::map,
     .help = "columns that decide the partition, by table: schema.table with * and ?, then a+b",
     .doc = "For `partitioner: columns`; tables that are not named go by their key. The columns "
            "must be in the table's replica identity, or a DELETE would not bring them. Order is "
            "kept among records with the same values, as long as those don't change."},
    {.path = "kafka.fixed_partition",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "the partition of every record with partitioner: fixed",
     .min = 0,
     .max = 1'000'000},
    {.path = "kafka.compression",
     .kind = OptionKind::choice,
     .fallback = "snappy",
     .variable = "KAFKA_COMPRESSION",
     .help = "how batches are compressed",
     .doc = "`lz4` costs the least CPU, `zstd` (Kafka 2.1 and later) makes the smallest batches.",
     .words = "none|gzip|snappy|lz4|zstd"},
    {.path = "kafka.acks",
     .kind = OptionKind::choice,
     .fallback = "all",
     .variable = "KAFKA_ACKS",
     .help = "which replicas must have a record before it counts as delivered",
     .doc = "`all`: every replica in sync. `1`: the leader alone. `0`: none. With `1` and `0`, and "
            "only then, records may be lost when a broker fails, and their order may change.",
     .words = kKafkaAcks.all()},
    {.path = "kafka.transactional_id",
     .help = "name of the transactions, with delivery: exactly_once",
     .doc = "pg-capture. and the pipeline's name if it is not given. Who begins under a name ends "
            "the one before: no other producer of the cluster may have it. Our principal needs "
            "Write and Describe on it."},
    {.path = "kafka.linger_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "100",
     .variable = "KAFKA_LINGER_MS",
     .help = "longest time a record waits for others to share its batch",
     .doc = "A ceiling, not a delay: caught up with the source, a batch leaves at once.",
     .min = 0,
     .max = 60'000},
    {.path = "kafka.batch_size",
     .kind = OptionKind::integer,
     .fallback = "16384",
     .variable = "KAFKA_BATCH_SIZE",
     .help = "bytes of a batch of records to one partition",
     .doc = "Where batches start: while behind, they grow to 1 MiB by themselves, or to what the "
            "topic takes if that is less. A value that is given is kept as the limit. A larger "
            "record goes alone.",
     .min = 1,
     .max = 104'857'600},
    {.path = "kafka.buffer_memory",
     .kind = OptionKind::integer,
     .fallback = "33554432",
     .variable = "KAFKA_BUFFER_MEMORY",
     .help = "memory.budget_bytes, by its first name",
     .min = 1'048'576,
     .max = 1'099'511'627'776},
    {.path = "kafka.oversize",
     .kind = OptionKind::choice,
     .fallback = "fail",
     .help = "what happens to a record that is too large for its topic",
     .doc = "`fail` stops and names table, key columns, size and limit. `dead_letter` sends the "
            "record to `dead_letter_topic` and continues.",
     .words = kKafkaOversizes.all()},
};

constexpr Option kTopicsOptions[] = {
    {.path = "kafka.topics.create",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "create topics that are missing"},
    {.path = "kafka.topics.partitions",
     .kind = OptionKind::integer,
     .fallback = "1",
     .help = "partitions of a topic that is created",
     .min = 1,
     .max = 1'000'000},
    {.path = "kafka.topics.replication_factor",
     .kind = OptionKind::integer,
     .fallback = "-1",
     .help = "replicas of a topic that is created; -1 for the brokers' default",
     .doc = "Brokers before Kafka 2.4 know no default here: give a number.",
     .min = -1,
     .max = 32'767},
    {.path = "kafka.topics.config",
     .kind = OptionKind::map,
     .help = "configuration of a topic that is created, as cleanup.policy=compact",
     .doc = "Topics that are there are never altered."},
};

constexpr Option kRootOptions[] = {
    {.path = "dead_letter_topic",
     .fallback = "{prefix}.dead_letters",
     .help = "topic of records that can't be delivered where they belong",
     .doc = "`{prefix}` and `{db}` may stand in it. A record keeps its key and value; headers hold "
            "the topic it was for, the table and the reason."},
    {.path = "state.topic",
     .fallback = "pg-capture.positions",
     .help = "topic in which pipelines keep their positions, with sink: kafka",
     .doc = "Compacted, with one partition; made if missing. Many pipelines may share it. With "
            "`replication.checkpoint_file` given, the position is kept there instead."},
};

constexpr OptionTable kTables[] = {
    {.options = kRootOptions},
    {.section = "kafka",
     .about = "Where the changes go with `sink: kafka`.",
     .options = kMainOptions,
     .check = check_kafka},
    {.section = "kafka.topics", .about = "Topics that are made.", .options = kTopicsOptions},
};

std::vector<KafkaPartitionColumns> partition_columns(const Settings& settings) {
    std::vector<KafkaPartitionColumns> all;
    for (const auto& [table, columns] : settings.map("kafka.partition_columns")) {
        auto pattern = NamePattern::parse(table, 2);
        auto names = column_names(columns);
        if (pattern && names) all.push_back({std::move(*pattern), std::move(*names)});
    }
    return all;
}

}  // namespace

std::span<const OptionTable> kafka_option_tables() noexcept {
    return kTables;
}

KafkaConfig kafka_config(const Settings& settings, std::string_view database, Files& files) {
    KafkaConfig c;
    c.connection = kafka_connection(settings, files);
    c.database = database;
    c.topic_prefix = settings.text("kafka.topic_prefix");
    c.topic = settings.text("kafka.topic");
    c.message_topic = settings.text("kafka.message_topic");
    if (settings.boolean("kafka.transactions")) {
        c.transaction_topic = settings.text("kafka.transaction_topic");
    }
    c.dead_letter_topic = settings.text("dead_letter_topic");
    c.state_topic = settings.text("state.topic");
    c.topics = {
        .create = settings.boolean("kafka.topics.create"),
        .partitions = static_cast<std::int32_t>(settings.integer("kafka.topics.partitions")),
        .replication_factor =
            static_cast<std::int16_t>(settings.integer("kafka.topics.replication_factor")),
        .config = settings.map("kafka.topics.config")};
    c.partitioning = {
        .by = settings.choice("kafka.partitioner", kKafkaPartitioners),
        .fixed = static_cast<std::int32_t>(settings.integer("kafka.fixed_partition"))};
    c.partition_columns = partition_columns(settings);
    c.compression = settings.word("kafka.compression");
    c.acks = settings.choice("kafka.acks", kKafkaAcks);
    c.linger_max = settings.duration("kafka.linger_ms");
    if (settings.given("kafka.batch_size")) {
        c.batch_bytes_max = static_cast<std::size_t>(settings.integer("kafka.batch_size"));
    }
    c.oversize = settings.choice("kafka.oversize", kKafkaOversizes);
    c.headers = settings.boolean("format.headers");
    return c;
}

}  // namespace pgc
