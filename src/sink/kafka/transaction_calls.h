// librdkafka's calls about transactions, which block, in a thread of their own: asked for here,
// answered by take(), with the client's wake_fd() readable then.
//
//   initialise() ─▶ answer ─▶ { commit() ─▶ answer } …   ─▶ abandon()
//
// Each call is made in slices, for librdkafka goes on with it where it was: so whoever ends this
// waits for one slice at most.
//
// Threads: made, asked and ended by one.
#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "kafka/client.h"
#include "sink/kafka/producer.h"

namespace pgc {

class KafkaTransactionCalls {
public:
    static constexpr Duration kSlice = std::chrono::milliseconds{200};

    using Step = KafkaReports::Transaction::Step;

    // `client` outlives it.
    explicit KafkaTransactionCalls(KafkaClient& client);
    KafkaTransactionCalls(const KafkaTransactionCalls&) = delete;
    KafkaTransactionCalls& operator=(const KafkaTransactionCalls&) = delete;
    ~KafkaTransactionCalls();

    // One at a time.
    void ask(Step step);
    std::optional<KafkaReports::Transaction> take();

    // Makes no further call.
    void end();

private:
    void run();
    rd_kafka_error_t* call(Step step);
    std::optional<Error> outcome(rd_kafka_error_t* error, Step step) const;

    KafkaClient& client_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Protected by mutex_.
    std::optional<Step> asked_;
    std::optional<KafkaReports::Transaction> answer_;
    bool ending_ = false;

    std::thread thread_;
};

// Of a call about transactions. Requires: an error; frees it.
Error kafka_transaction_error(const KafkaClient& client, rd_kafka_error_t* error,
                              std::string_view what);

}  // namespace pgc
