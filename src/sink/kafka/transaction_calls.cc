#include "sink/kafka/transaction_calls.h"

#include <string>
#include <string_view>
#include <utility>

#include "kafka/errors.h"

namespace pgc {
namespace {

constexpr int kSlice_ms =
    static_cast<int>(KafkaTransactionCalls::kSlice / std::chrono::milliseconds{1});

bool is_fenced(rd_kafka_resp_err_t code) noexcept {
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

}  // namespace

// Whatever it is, another producer begins with what was committed; unless somebody must act.
Error kafka_transaction_error(const KafkaClient& client, rd_kafka_error_t* error,
                              std::string_view what) {
    const auto code = rd_kafka_error_code(error);
    Error ours = kafka_error(code, what, client.scrubbed(rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    if (is_fenced(code)) {
        // Or by the brokers, for it took too long. The next attempt sees by the position which.
        ours = retry(Error::Category::position,
                     std::string{what} +
                         ": another instance of this pipeline has begun "
                         "since, or the brokers have ended the transaction");
    }
    return ours;
}

KafkaTransactionCalls::KafkaTransactionCalls(KafkaClient& client)
    : client_(client), thread_([this] { run(); }) {}

KafkaTransactionCalls::~KafkaTransactionCalls() {
    end();
}

void KafkaTransactionCalls::end() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void KafkaTransactionCalls::ask(Step step) {
    {
        const std::lock_guard lock{mutex_};
        asked_ = step;
    }
    changed_.notify_one();
}

std::optional<KafkaReports::Transaction> KafkaTransactionCalls::take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(answer_, std::nullopt);
}

void KafkaTransactionCalls::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || asked_; });
        if (ending_) return;
        const Step step = *asked_;
        lock.unlock();
        rd_kafka_error_t* const error = call(step);
        lock.lock();
        if (error != nullptr && rd_kafka_error_is_retriable(error) != 0) {
            rd_kafka_error_destroy(error);  // it goes on where it was
            continue;
        }
        asked_.reset();
        answer_ = KafkaReports::Transaction{.step = step, .failed = outcome(error, step)};
        client_.notify();
    }
}

rd_kafka_error_t* KafkaTransactionCalls::call(Step step) {
    rd_kafka_t* const client = client_.handle();
    return step == Step::initialised ? rd_kafka_init_transactions(client, kSlice_ms)
                                     : rd_kafka_commit_transaction(client, kSlice_ms);
}

std::optional<Error> KafkaTransactionCalls::outcome(rd_kafka_error_t* error, Step step) const {
    if (error == nullptr) return std::nullopt;
    return kafka_transaction_error(client_, error,
                                   step == Step::initialised
                                       ? "the transactions of this pipeline can't be taken over"
                                       : "a transaction was not committed");
}

}  // namespace pgc
