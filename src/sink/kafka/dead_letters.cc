#include "sink/kafka/dead_letters.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace pgc {
namespace {

// librdkafka's worst case for the fields of a record and its two headers, and for what stands
// before the only record of a batch.
constexpr std::size_t kRecord_overhead = 36 + 64;
constexpr std::size_t kBatch_overhead = 61;

std::string columns_text(const Relation& relation) {
    std::string text;
    for (const std::uint32_t place : record_key(relation)) {
        if (!text.empty()) text += ", ";
        text += relation.columns[place].name;
    }
    return text.empty() ? "no key" : "key columns (" + text + ")";
}

std::string_view without_table(Destination destination) noexcept {
    if (destination == Destination::transactions) return "the mark of a transaction";
    return destination == Destination::heartbeats ? "a heartbeat" : "a logical message";
}

}  // namespace

std::size_t kafka_wire_bytes(const Record& record) noexcept {
    return record.key.size() + record.value.size() + kRecord_overhead + kBatch_overhead;
}

std::string kafka_record_text(const Record& record, std::string_view topic) {
    const std::string whose = record.relation == nullptr
                                  ? std::string{without_table(record.destination)}
                                  : fmt::format("table {}, {}", qualified_name(*record.relation),
                                                columns_text(*record.relation));
    return fmt::format("{}, {} bytes, topic {}, commit LSN {}", whose,
                       record.key.size() + record.value.size(), topic,
                       to_string(record.commit_lsn));
}

Error kafka_too_large(const Record& record, const KafkaTopics::Topic& topic) {
    const std::size_t needed = kafka_wire_bytes(record);
    return stop(Error::Category::sink,
                fmt::format("a record is too large for its topic, which takes {} bytes",
                            topic.message_bytes_max))
        .at(kafka_record_text(record, topic.name))
        .with_hint(fmt::format("raise the topic's limit: kafka-configs.sh --alter --entity-type "
                               "topics --entity-name {} --add-config max.message.bytes={}; or set "
                               "kafka.oversize: dead_letter",
                               topic.name, needed));
}

Error kafka_too_large_for_dead_letters(const Record& record, std::string_view topic) {
    return stop(Error::Category::sink,
                "a record is too large for its topic and for the dead-letter topic")
        .at(kafka_record_text(record, topic))
        .with_hint("raise max.message.bytes of the dead-letter topic above the record's size");
}

KafkaDeadLetters::KafkaDeadLetters(Deps deps)
    : producer_(deps.producer),
      topics_(deps.topics),
      carry_over_(deps.carry_over),
      letters_(deps.metrics.counter(Metric::kafka_dead_letters_total)),
      logger_(std::move(deps.logger)) {}

void KafkaDeadLetters::add(const Record& record, std::string_view topic, KafkaTag tag) {
    carry_over_.refused(record);
    waiting_.push_back({&record, std::string{topic}, tag});
}

// False while the topic is on its way, or the producer has no room.
Result<bool> KafkaDeadLetters::send_front() {
    const auto route = topics_.dead_letters();
    if (!route) return std::unexpected(route.error());
    if (*route == nullptr) return false;
    const Letter& letter = waiting_.front();
    const Record& record = *letter.record;
    const std::string table = record.relation != nullptr ? qualified_name(*record.relation) : "";
    const std::string size = std::to_string(record.key.size() + record.value.size());
    const std::string lsn = to_string(record.commit_lsn);
    const std::string seq = std::to_string(record.ordinal);
    const std::array headers{RecordHeader{"pgc.topic", letter.topic},
                             RecordHeader{"pgc.table", table},
                             RecordHeader{"pgc.reason", "MSG_SIZE_TOO_LARGE"},
                             RecordHeader{"pgc.size", size},
                             RecordHeader{"pgc.lsn", lsn},
                             RecordHeader{"pgc.seq", seq}};
    const KafkaCode code = producer_.produce({.topic = (*route)->topic->handle,
                                              .partition = (*route)->partitioner(record),
                                              .record = &record,
                                              .tag = letter.tag},
                                             headers);
    if (code == KafkaCode::local_queue_full) return false;
    if (code == KafkaCode::message_too_large) {
        return std::unexpected(kafka_too_large_for_dead_letters(record, letter.topic));
    }
    if (code != KafkaCode::none) return false;  // the producer failed, and says so
    letters_.add();
    logger_.warning("a record was too large and went to the dead-letter topic",
                    {{"record", kafka_record_text(record, letter.topic)}});
    return true;
}

}  // namespace pgc
