#include "sink/kafka/producer_properties.h"

#include <chrono>
#include <string>

namespace pgc {

using namespace std::chrono_literals;

std::vector<KafkaProperty> producer_properties(const KafkaConfig& config, std::size_t batch_bytes) {
    std::vector<KafkaProperty> all{
        {"acks", std::to_string(static_cast<int>(config.acks))},
        {"compression.codec", config.compression},
        // Batches: as large as the topics take, of as many records as go in. Each leaves at
        // once: caught up we come with a group at a time (KafkaSink::group_gap), behind they
        // grow while a request is in flight.
        {"batch.size", std::to_string(batch_bytes)},
        {"batch.num.messages", "1000000"},
        {"linger.ms", "0"},
        // Our budget is the only limit on what is queued; the brokers the only ones on sizes.
        {"queue.buffering.max.messages", "10000000"},
        {"queue.buffering.max.kbytes", "2147483647"},
        {"message.max.bytes", "1000000000"},
        // A record waits for ever: one that timed out would leave a gap, and no error.
        {"message.timeout.ms", "0"},
        // We choose the partition.
        {"sticky.partitioning.linger.ms", "0"},
    };
    if (config.exactly_once()) {
        all.push_back({"transactional.id", config.transactional_id});
        all.push_back({"transaction.timeout.ms", std::to_string(config.transaction_max() / 1ms)});
        // What does not get there ends the transaction, and comes again in the next one.
        all.push_back({"message.timeout.ms", std::to_string(config.transaction_max() / 1ms)});
        return all;
    }
    if (config.may_lose()) return all;
    all.push_back({"enable.idempotence", "true"});
    // Nothing is sent after a record that failed for good: the order of a key is kept also
    // when the sink starts again from that record. A dead letter leaves such a gap on purpose.
    if (config.oversize == KafkaOversize::fail) all.push_back({"enable.gapless.guarantee", "true"});
    return all;
}

}  // namespace pgc
