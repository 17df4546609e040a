#include "sink/kafka/option_checks.h"

#include <fmt/format.h>

#include <utility>

#include "config/option_checker.h"
#include "core/name_pattern.h"
#include "sink/kafka/config.h"
#include "sink/kafka/topic_name.h"

namespace pgc {
namespace {

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        names();
        partitions();
        delivery();
    }

private:
    void topic_template(std::string_view path, TopicOf of) {
        if (!good(path)) return;
        if (auto fault = template_fault(settings().text(path), of); !fault.empty()) {
            add(path, std::move(fault));
        }
    }

    void names() {
        const auto& prefix = settings().text("kafka.topic_prefix");
        if (good("kafka.topic_prefix") && !is_topic_name(prefix)) {
            add("kafka.topic_prefix", "must be of A-Z, a-z, 0-9, ., _ and -");
        }
        topic_template("kafka.topic", TopicOf::table);
        topic_template("kafka.message_topic", TopicOf::pipeline);
        topic_template("kafka.transaction_topic", TopicOf::pipeline);
        topic_template("dead_letter_topic", TopicOf::pipeline);
        if (good("state.topic") && !is_topic_name(settings().text("state.topic"))) {
            add("state.topic", "a topic's name may hold A-Z, a-z, 0-9, ., _ and - only");
        }
        distinct("kafka.message_topic", "dead_letter_topic");
        distinct("kafka.message_topic", "state.topic");
        distinct("dead_letter_topic", "state.topic");
        const bool transactions = settings().boolean("kafka.transactions") || asked_for_by_format();
        only_with("kafka.transaction_topic", "kafka.transactions", transactions,
                  "nothing is written about transactions",
                  "set kafka.transactions to true, or leave kafka.transaction_topic out");
        if (!transactions) return;
        distinct("kafka.transaction_topic", "kafka.message_topic");
        distinct("kafka.transaction_topic", "dead_letter_topic");
        distinct("kafka.transaction_topic", "state.topic");
    }

    bool asked_for_by_format() const {
        constexpr std::string_view path = "format.debezium.provide_transaction_metadata";
        return settings().declared(path) && settings().boolean(path);
    }

    // {db} stands for itself: it is the same in both.
    void distinct(std::string_view one, std::string_view other) {
        const TopicVariables variables{.prefix = settings().text("kafka.topic_prefix"),
                                       .database = "{db}",
                                       .schema = {},
                                       .table = {}};
        if (fill_template(settings().text(one), variables) ==
            fill_template(settings().text(other), variables)) {
            contradiction({one, other}, "both are the same topic", "give each its own");
        }
    }

    void partitions() {
        if (settings().integer("kafka.topics.replication_factor") == 0) {
            add("kafka.topics.replication_factor", "a topic has at least one replica",
                "use -1 for the brokers' default");
        }
        const auto by = settings().choice("kafka.partitioner", kKafkaPartitioners);
        only_with("kafka.fixed_partition", "kafka.partitioner", by == KafkaPartitionBy::fixed,
                  "only the partitioner fixed has a partition of its own",
                  "set kafka.partitioner to fixed, or leave kafka.fixed_partition out");
        only_with("kafka.partition_columns", "kafka.partitioner", by == KafkaPartitionBy::columns,
                  "only the partitioner columns looks at columns",
                  "set kafka.partitioner to columns, or leave kafka.partition_columns out");
        const auto count = settings().integer("kafka.topics.partitions");
        if (by == KafkaPartitionBy::fixed && settings().boolean("kafka.topics.create") &&
            settings().integer("kafka.fixed_partition") >= count) {
            contradiction(
                {"kafka.fixed_partition", "kafka.topics.partitions"},
                fmt::format("a topic that is created has the partitions 0 to {}", count - 1),
                "raise kafka.topics.partitions");
        }
        if (by == KafkaPartitionBy::columns && settings().map("kafka.partition_columns").empty()) {
            contradiction({"kafka.partitioner", "kafka.partition_columns"},
                          "no table's columns are named",
                          "name them, as {\"public.orders\": \"customer_id\"}");
        }
        if (good("kafka.partition_columns")) partition_columns();
    }

    void partition_columns() {
        for (const auto& [table, columns] : settings().map("kafka.partition_columns")) {
            if (!NamePattern::parse(table, 2)) {
                add("kafka.partition_columns",
                    fmt::format("\"{}\" is not of the form schema.table", table));
            }
            if (!column_names(columns)) {
                add("kafka.partition_columns",
                    fmt::format("the columns for \"{}\" are not of the form a or a+b", table));
            }
        }
    }

    void delivery() {
        if (settings().choice("kafka.acks", kKafkaAcks) == KafkaAcks::none &&
            settings().choice("kafka.oversize", kKafkaOversizes) == KafkaOversize::dead_letter) {
            contradiction({"kafka.acks", "kafka.oversize"},
                          "with acks 0 no broker says that a record is too large",
                          "set kafka.acks to all");
        }
    }
};

}  // namespace

void check_kafka(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

}  // namespace pgc
