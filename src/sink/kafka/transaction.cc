#include "sink/kafka/transaction.h"

#include <utility>

#include "core/position_text.h"
#include "kafka/errors.h"

namespace pgc {
namespace {

// Of the record that is the position. It counts as a batch like the others until it is written.
constexpr Lane kPositionLane{~0U};

}  // namespace

KafkaTransaction::KafkaTransaction(Deps deps, Sink& sink)
    : producer_(deps.producer),
      delivery_(deps.delivery),
      clock_(deps.clock),
      topic_(deps.producer.topic(deps.topic)),
      key_(std::move(deps.key)),
      positions_(*this, sink, std::move(deps.positions), std::move(deps.first_look)) {}

bool KafkaTransaction::open() {
    if (state_ == State::made) {
        producer_.initialise();
        state_ = State::opening;
    }
    return state_ != State::opening;
}

Result<void> KafkaTransaction::begin() {
    if (state_ == State::open) return {};
    const KafkaCode code = producer_.begin();
    if (code != KafkaCode::none) {
        return std::unexpected(
            kafka_error(static_cast<rd_kafka_resp_err_t>(code), "a transaction can't be begun"));
    }
    state_ = State::open;
    begun_at_ = clock_.now();
    interrupted_ = false;
    return {};
}

Result<void> KafkaTransaction::seal(const StoredPosition& position) {
    if (!takes()) {
        return std::unexpected(stop(Error::Category::internal, "a seal before the sink was ready"));
    }
    if (auto begun = begin(); !begun) return begun;
    value_ = write_position(position);
    state_ = State::sealing;
    return step();
}

void KafkaTransaction::take(const KafkaReports::Transaction& report) {
    if (report.failed) {
        error_ = report.failed;
        return;
    }
    if (report.step == KafkaReports::Transaction::Step::committed) durable_ = delivery_.durable();
    state_ = State::idle;
}

Result<void> KafkaTransaction::step() {
    if (error_) return std::unexpected(*error_);
    if (state_ == State::sealing && delivery_.unfinished() == nullptr) {
        if (auto sent = send_position(); !sent) return sent;
        state_ = State::sent;
    } else if (state_ == State::sent && delivery_.empty()) {
        producer_.commit();
        state_ = State::committing;
    }
    return {};
}

Result<void> KafkaTransaction::send_position() {
    RecordBatchPtr batch{new RecordBatch, RecordPool::Return{}};
    batch->lane = kPositionLane;
    batch->records.push_back(
        {.has_key = true, .key = batch->arena.copy(key_), .value = batch->arena.copy(value_)});
    const KafkaTag tag{.batch = delivery_.next_number()};
    const std::size_t bytes = key_.size() + value_.size();
    auto& pending = delivery_.accept(std::move(batch), 1, bytes);
    const KafkaCode code = producer_.produce(
        {.topic = topic_, .partition = 0, .record = &pending.batch().records[0], .tag = tag}, {});
    if (code == KafkaCode::none) {
        delivery_.handed(pending, 1);
        return {};
    }
    return std::unexpected(
        kafka_error(static_cast<rd_kafka_resp_err_t>(code), "the position was not written")
            .at(positions_.where()));
}

Result<std::optional<PositionStore::Loaded>> KafkaTransaction::Positions::load() {
    const auto idle = saved();
    if (!idle) return std::unexpected(idle.error());
    if (!*idle) return std::nullopt;
    return topic().load();
}

Result<void> KafkaTransaction::Positions::save(const StoredPosition&) {
    return std::unexpected(
        stop(Error::Category::internal, "a position is sealed here with its records, not saved"));
}

// Asking the sink makes it go on.
Result<bool> KafkaTransaction::Positions::saved() {
    if (!transaction_.sealing()) return topic().saved();
    const auto durable = sink_.durable(kStreamLane);
    if (transaction_.error_) return std::unexpected(*transaction_.error_);
    if (!durable) return std::unexpected(durable.error());
    return !transaction_.sealing();
}

void KafkaTransaction::Positions::wants(Wants& wants) const {
    transaction_.sealing() ? sink_.wants(wants) : topic().wants(wants);
}

}  // namespace pgc
