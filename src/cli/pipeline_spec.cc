#include "cli/pipeline_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/fnv.h"
#include "config/convert.h"
#include "format/csv/plan.h"
#include "format/registry/options.h"
#include "sink/file/options.h"
#include "sink/kafka/options.h"

namespace pgc {
namespace {

// A snapshot of the database is made by a slot, which may wait for transactions.
constexpr Duration kHold_min = std::chrono::minutes{1};

// What Debezium does otherwise, where the user has not said it.
void as_debezium(KafkaConfig& kafka, const PipelineSpec& spec) {
    if (spec.format_type == FormatType::debezium && !spec.settings.given("format.headers")) {
        kafka.headers = false;
    }
    kafka.plain_topics = true;
    if (!spec.settings.given("kafka.message_topic")) kafka.message_topic = "{prefix}.message";
    if (spec.debezium.heartbeat_interval > Duration{0}) {
        kafka.heartbeat_topic = "__debezium-heartbeat.{prefix}";
    }
    if (!spec.debezium.transaction_metadata) return;
    kafka.transaction_topic = spec.settings.given("kafka.transaction_topic")
                                  ? spec.settings.text("kafka.transaction_topic")
                                  : "{prefix}.transaction";
}

// What a sink of Kafka's is made of; nothing where the sink is another.
std::optional<KafkaConfig> kafka_of(const PipelineSpec& spec, Files& files) {
    if (spec.sink != SinkKind::kafka) return std::nullopt;
    KafkaConfig kafka = kafka_config(spec.settings, spec.postgres.connection.database, files);
    kafka.pipeline = spec.name();
    if (is_debezium_like(spec.format_type)) as_debezium(kafka, spec);
    if (spec.settings.choice("delivery", kDeliveries) == Delivery::exactly_once) {
        const std::string& given = spec.settings.text("kafka.transactional_id");
        kafka.transactional_id = given.empty() ? "pg-capture." + spec.name() : given;
        kafka.whole_transactions = spec.options.flow.whole_transactions;
    }
    return kafka;
}

// A number that stands for what was said of how a line is written.
std::string form_of_lines(const Settings& settings) {
    std::string all;
    for (const Settings::Entry& entry : settings.entries()) {
        const std::string_view path = entry.option->path;
        const bool of_lines = path.starts_with("format.") || path == "source.toast";
        if (!of_lines || path.starts_with("format.registry.") || !settings.given(path)) continue;
        all += fmt::format("{}={}\n", path, value_to_text(entry.value));
    }
    return fmt::format("{:016x}", fnv1a(all));
}

std::shared_ptr<const FileSinkConfig> file_of(const PipelineSpec& spec) {
    if (spec.sink != SinkKind::file) return nullptr;
    auto config = std::make_shared<FileSinkConfig>(file_sink_config(spec.settings, spec.name()));
    config->registry_is_captured_database =
        registry_is_in(spec.postgres.connection, spec.file_registry);
    config->captures = [tables = spec.postgres.tables](const TableId& table) {
        return tables.matches(table.schema, table.name);
    };
    config->form = form_of_lines(spec.settings);
    if (spec.format_type != FormatType::csv) return config;
    config->extension = "csv";
    config->heading = [options = spec.csv](const Relation& relation) {
        return csv_header(&relation, options);
    };
    return config;
}

FormatOptions format_of(const PipelineSpec& spec) {
    FormatOptions options = format_options(spec.settings);
    if (spec.postgres.toast == ToastMode::placeholder) {
        options.unsent_toast = UnsentToast::placeholder;
    }
    return options;
}

void name_columns(PipelineSpec& spec) {
    auto keys = debezium_message_keys(spec.settings);
    if (!keys.empty()) spec.postgres.message_keys = std::move(keys);
    spec.postgres.unique_keys = spec.format_type != FormatType::native;
    if (spec.kafka && spec.kafka->partitioning.by == KafkaPartitionBy::columns) {
        constexpr std::string_view option = "kafka.partition_columns";
        spec.postgres.partition_columns = NamedColumns::of_map(option, spec.settings.map(option));
    }
}

// After the message of a removal, which flat messages may be without.
bool tombstones_of(const PipelineSpec& spec) {
    switch (spec.format_type) {
        case FormatType::native:
        case FormatType::csv: break;
        case FormatType::debezium: return spec.debezium.tombstones;
        case FormatType::flat: return spec.flat.deletes == FlatDeletes::rewrite_with_tombstone;
    }
    return spec.settings.boolean("format.tombstones");
}

// What loaders read, where nothing else is wanted.
FormatType format_type_of(const Settings& settings) {
    const bool files = settings.choice("sink", kSinks) == SinkKind::file;
    return files && !settings.given("format.type") ? FormatType::csv : format_type(settings);
}

PipelineOptions options_of(const PipelineSpec& spec) {
    PipelineOptions options = pipeline_options(spec.settings, spec.postgres.slot);
    options.snapshot = snapshot_mode(spec.settings);
    options.flow.budget_bytes = memory_budget(spec.settings);
    options.flow.encoder.tombstones = tombstones_of(spec);
    options.flow.whole_transactions =
        spec.settings.choice("consistency", kConsistencies) == Consistency::transaction;
    return options;
}

// Beside the records, unless a file is named for it.
std::string position_file_of(const PipelineSpec& spec) {
    const bool named = !spec.settings.text("replication.checkpoint_file").empty();
    return (spec.kafka || spec.file) && !named ? std::string{}
                                               : position_path(spec.settings, spec.name());
}

// Between two snapshots of the database the stream goes on: what changes in tables that are read
// is in files as soon as in a batch of any other time.
void hold_no_longer_than_a_batch(PipelineSpec& spec) {
    if (!spec.file || spec.settings.given("source.snapshot.hold_secs")) return;
    Duration& hold = spec.postgres.snapshot.hold_max;
    hold = std::min(hold, std::max<Duration>(spec.file->interval, kHold_min));
}

}  // namespace

PipelineSpec pipeline_spec(const Settings& settings, Files& files) {
    PipelineSpec spec;
    spec.settings = settings;
    spec.postgres = postgres_config(settings, files);
    spec.keepalive_interval = keepalive_interval(settings);
    spec.format_type = format_type_of(settings);
    spec.encoding = format_encoding(settings);
    spec.debezium = debezium_options(settings);
    spec.debezium.nested_arrays = spec.encoding == FormatEncoding::json && !spec.debezium.schemas;
    spec.flat = flat_options(settings);
    spec.csv = csv_options(settings);
    spec.debezium.transaction_metadata |= settings.boolean("kafka.transactions");
    if (spec.encoding != FormatEncoding::json) {
        spec.registry = registry_config(settings, files);
        spec.debezium.docs = spec.registry->docs;
    }
    spec.options = options_of(spec);
    spec.format = format_of(spec);
    spec.sink = settings.choice("sink", kSinks);
    spec.kafka = kafka_of(spec, files);
    name_columns(spec);
    spec.options.flow.heartbeat_interval = spec.debezium.heartbeat_interval;
    spec.options.flow.encoder.transaction_marks = spec.kafka && spec.kafka->transaction_topic;
    spec.console = console_sink_options(settings);
    spec.file_registry = file_registry_connection(settings, spec.postgres.connection, files);
    spec.file = file_of(spec);
    spec.options.flow.encoder.own_messages = spec.file != nullptr;
    hold_no_longer_than_a_batch(spec);
    spec.position_file = position_file_of(spec);
    spec.spill_folder = spill_path(settings, spec.name());
    spec.spill_limit = spill_limit(settings);
    return spec;
}

}  // namespace pgc
