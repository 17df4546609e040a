// What happens to a record that no broker takes because of its size.
//
//   oversize: fail         an Error that names the record without showing it
//   oversize: dead_letter  it goes to the dead-letter topic as it is, with headers that say
//                          where it belongs, and counts once it is safe there
//
// A record is given up on its topic only after a broker, or librdkafka, has refused it alone:
// what compression makes of it nobody knows before. Headers of a dead letter:
//   pgc.topic pgc.table   where it belongs
//   pgc.reason pgc.size   why it is here: "MSG_SIZE_TOO_LARGE", bytes of key and value
//   pgc.lsn pgc.seq       as every record's
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/record.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/kafka/carry_over.h"
#include "sink/kafka/producer.h"
#include "sink/kafka/topics.h"

namespace pgc {

// The most a record takes in a batch of its own, before compression.
std::size_t kafka_wire_bytes(const Record& record) noexcept;

// A record, for errors and logs, without a value of it: "table public.t, key columns (id),
// 1200345 bytes, topic cdc.public.t, commit LSN 0/16B3748".
std::string kafka_record_text(const Record& record, std::string_view topic);

Error kafka_too_large(const Record& record, const KafkaTopics::Topic& topic);
Error kafka_too_large_for_dead_letters(const Record& record, std::string_view topic);

class KafkaDeadLetters {
public:
    struct Deps {
        KafkaProducer& producer;
        KafkaTopics& topics;
        KafkaCarryOver& carry_over;
        Metrics& metrics;
        Logger logger;
    };
    explicit KafkaDeadLetters(Deps deps);

    // Takes a record over whose batch is lent for as long as it is not reported.
    void add(const Record& record, std::string_view topic, KafkaTag tag);

    bool empty() const noexcept { return waiting_.empty(); }
    // Hands over what it has, once its topic is ready. Calls sent(tag) for each.
    template <typename Sent>
    [[nodiscard]] Result<void> send(Sent&& sent) {
        while (!waiting_.empty()) {
            const auto taken = send_front();
            if (!taken) return std::unexpected(taken.error());
            if (!*taken) return {};
            sent(waiting_.front().tag);
            waiting_.pop_front();
        }
        return {};
    }

private:
    struct Letter {
        const Record* record;
        std::string topic;  // where it belongs
        KafkaTag tag;
    };
    Result<bool> send_front();

    KafkaProducer& producer_;
    KafkaTopics& topics_;
    KafkaCarryOver& carry_over_;
    Counter& letters_;
    const Logger logger_;
    std::deque<Letter> waiting_;
};

}  // namespace pgc
